import FluxionCore
import FluxionTestSupport
import Testing

/// Principal values computed with mpmath to thirty digits.
private struct ComplexRow: Sendable, CustomTestStringConvertible {
  let name: String
  let function: @Sendable (Tensor) -> Tensor
  let real: [Double]
  let imaginary: [Double]
  var testDescription: String { name }
}

private let re: [Double] = [0.3, -1.2, 2.0, -0.5, 1e-09, 0.9]
private let im: [Double] = [0.7, 0.4, -3.0, -0.25, 2e-09, 0.0]

private let rows: [ComplexRow] = [
  ComplexRow(
    name: "exp", function: { exp($0) },
    real: [1.0324289629116616, 0.2774182402117685, -7.315110094901103, 0.5876750903439226, 1.000000001, 2.45960311115695],
    imaginary: [0.8696029191140401, 0.11729055071581014, -1.0427436562359045, -0.15005808662216327, 2.000000002e-09, 0.0]),
  ComplexRow(
    name: "expm1", function: { expm1($0) },
    real: [0.03242896291166162, -0.7225817597882315, -8.315110094901103, -0.4123249096560773, 9.999999985e-10, 1.4596031111569496],
    imaginary: [0.8696029191140401, 0.11729055071581014, -1.0427436562359045, -0.15005808662216327, 2.000000002e-09, 0.0]),
  ComplexRow(
    name: "log", function: { log($0) },
    real: [-0.2723635877208361, 0.23500181462286776, 1.2824746787307684, -0.5815754049028404, -19.918546880729362, -0.10536051565782628],
    imaginary: [1.1659045405098132, 2.819842099193151, -0.982793723247329, -2.677945044588987, 1.1071487177940904, 0.0]),
  ComplexRow(
    name: "log1p", function: { log1p($0) },
    real: [0.3896624384004988, -0.8047189562170501, 1.4451858789480823, -0.5815754049028404, 1.0000000015e-09, 0.6418538861723948],
    imaginary: [0.4939413689195812, 2.0344439357957027, -0.7853981633974483, -0.4636476090008061, 1.9999999980000002e-09, 0.0]),
  ComplexRow(
    name: "sqrt", function: { sqrt($0) },
    real: [0.7285524382590421, 0.18015418960900095, 1.6741492280355401, 0.17178037486125622, 4.022479320953552e-05, 0.9486832980505138],
    imaginary: [0.4804046786753803, 1.1101601380132848, -0.8959774761298381, -0.7276733451126774, 2.486028939392892e-05, 0.0]),
  ComplexRow(
    name: "rsqrt", function: { rsqrt($0) },
    real: [0.9566362181904808, 0.14242439229657053, 0.464325452650815, 0.30729007631213195, 17989.07439947867, 1.0540925533894598],
    imaginary: [-0.6308022468598542, -0.877658650912214, 0.24849944091130338, 1.3017016520692888, -11117.859405028423, 0.0]),
  ComplexRow(
    name: "reciprocal", function: { reciprocal($0) },
    real: [0.5172413793103449, -0.75, 0.15384615384615385, -1.6, 200000000.0, 1.1111111111111112],
    imaginary: [-1.206896551724138, -0.25, 0.23076923076923078, 0.8, -400000000.0, 0.0]),
  ComplexRow(
    name: "sin", function: { sin($0) },
    real: [0.37092780393896435, -1.0076017053127349, 9.15449914691143, -0.494485780933195, 1e-09, 0.7833269096274834],
    imaginary: [0.7247026904232854, 0.14883929042397928, 4.168906959966565, -0.22168816414957482, 2e-09, 0.0]),
  ComplexRow(
    name: "cos", function: { cos($0) },
    real: [1.199108751098743, 0.391734957086154, -4.189625690968807, 0.9051501505596067, 1.0, 0.6216099682706644],
    imaginary: [-0.2241768123375429, 0.38283722230016853, 9.109227893755337, -0.12110879604381165, -2e-18, 0.0]),
  ComplexRow(
    name: "tan", function: { tan($0) },
    real: [0.18971709151908692, -1.1256946121711862, -0.0037640256415042484, -0.504500702698564, 1e-09, 1.2601582175503392],
    imaginary: [0.63983593026318, 1.4800749292801747, -1.0032386273536098, -0.3124206925025888, 2e-09, 0.0]),
  ComplexRow(
    name: "asin", function: { asin($0) },
    real: [0.2457320061010797, -1.1071487177940904, 0.5706527843210994, -0.5016088532755008, 1e-09, 1.1197695149986342],
    imaginary: [0.6703367429877897, 0.8047189562170501, -1.9833870299165355, -0.2813960562452928, 2e-09, 0.0]),
  ComplexRow(
    name: "acos", function: { acos($0) },
    real: [1.3250643206938169, 2.677945044588987, 1.0001435424737972, 2.0724051800703975, 1.5707963257948967, 0.45102681179626236],
    imaginary: [-0.6703367429877897, -0.8047189562170501, 1.9833870299165355, 0.2813960562452928, -2e-09, 0.0]),
  ComplexRow(
    name: "atan", function: { atan($0) },
    real: [0.48003518120284394, -0.9078874949608804, 1.4099210495965755, -0.4842544903299662, 1e-09, 0.7328151017865066],
    imaginary: [0.7016804321523099, 0.15899719167999918, -0.22907268296853878, -0.20058661813123432, 2e-09, 0.0]),
  ComplexRow(
    name: "sinh", function: { sinh($0) },
    real: [0.23290996731262684, -1.390305976424878, -3.59056458998578, -0.504895714387995, 1e-09, 1.0265167257081753],
    imaginary: [0.6734255599525789, 0.7051024895193871, -0.5309210862485199, -0.2789791283502615, 2e-09, 0.0]),
  ComplexRow(
    name: "cosh", function: { cosh($0) },
    real: [0.7995189955990348, 1.6677242166366464, -3.7245455049153224, 1.0925708047319176, 1.0, 1.4330863854487743],
    imaginary: [0.1961773591614612, -0.587811938803577, -0.5118225699873846, 0.12892104172809826, 2e-18, 0.0]),
  ComplexRow(
    name: "tanh", function: { tanh($0) },
    real: [0.4697051659675581, -0.8740856660425113, 0.9653858790221331, -0.48548728102413535, 1e-09, 0.7162978701990245],
    imaginary: [0.72703718624352, 0.11470991281060407, 0.009884375038322494, -0.19805544995134952, 2e-09, 0.0]),
  ComplexRow(
    name: "asinh", function: { asinh($0) },
    real: [0.38559098731817487, -1.041161595266389, 1.9686379257930964, -0.4926756834207706, 1e-09, 0.8088669356527824],
    imaginary: [0.7089034409655053, 0.2538516769283051, -0.9646585044076028, -0.2243284526346675, 2e-09, 0.0]),
  ComplexRow(
    name: "acosh", function: { acosh($0) },
    real: [0.6703367429877897, 0.8047189562170501, 1.9833870299165355, 0.2813960562452928, 2e-09, 0.0],
    imaginary: [1.3250643206938169, 2.677945044588987, -1.0001435424737972, -2.0724051800703975, 1.5707963257948967, 0.45102681179626236]),
  ComplexRow(
    name: "atanh", function: { atanh($0) },
    real: [0.19988189602962927, -0.8047189562170501, 0.14694666622552977, -0.5003700000525311, 1e-09, 1.4722194895832204],
    imaginary: [0.6396697661585148, 1.1071487177940904, -1.3389725222944935, -0.3143981432077165, 2e-09, 0.0]),
  ComplexRow(
    name: "sigmoid", function: { sigmoid($0) },
    real: [0.584113230576754, 0.22371559758769954, 1.1541476496139678, 0.3757248355800388, 0.50000000025, 0.710949502625004],
    imaginary: [0.1779429221443749, 0.071277223234215, -0.02545268116361431, -0.05900296431450802, 5e-10, 0.0]),
  ComplexRow(
    name: "cbrt", function: { cbrt($0) },
    real: [0.8451106964513709, 0.6378921305671627, 1.4518566183526649, 0.5167964603945269, 0.0012196165079717577, 0.9654893846056297],
    imaginary: [0.34603901844118595, 0.8733273870923963, -0.4934035341040047, -0.6415027846178182, 0.000471711267789389, 0.0]),
  ComplexRow(
    name: "sign", function: { sign($0) },
    real: [0.3939192985791677, -0.9486832980505138, 0.5547001962252291, -0.8944271909999159, 0.4472135954999579, 1.0],
    imaginary: [0.9191450300180579, 0.31622776601683794, -0.8320502943378437, -0.4472135954999579, 0.8944271909999159, 0.0]),
]

@Suite(.device(.reference)) struct ComplexTests {
  @Test("functions", arguments: rows)
  fileprivate func functions(row: ComplexRow) {
    let z = complex(Tensor(re), Tensor(im))
    // Relative to the size of the number, not of each part: parts near zero come from larger ones.
    let tolerance = Tolerance(ulps: 8, epsilons: 8)
    let w = row.function(z)
    #expect(w.elementType == .complex128)
    expectClose(w.real, row.real, tolerance, row.name + " real")
    expectClose(w.imaginary, row.imaginary, tolerance, row.name + " imaginary")
    let single = row.function(z.converted(to: .complex64))
    #expect(single.elementType == .complex64)
    expectClose(single.real, row.real, tolerance, row.name + " real part in single precision")
    expectClose(single.imaginary, row.imaginary, tolerance, row.name + " imaginary part in single precision")
  }

  @Test func arithmetic() {
    let a = complex(Tensor([1.0, -2, 0]), Tensor([2.0, 0.5, 0]))
    let b = complex(Tensor([3.0, 0, 2]), Tensor([-1.0, 4, 0]))
    expectClose(a * b, complex(Tensor([5.0, -2, 0]), Tensor([5.0, -8, 0])), .exact)
    expectClose(a / b, complex(Tensor([0.1, 0.125, 0]), Tensor([0.7, 0.5, 0])), .ulps(2))
    expectClose(a.conjugate() + b, complex(Tensor([4.0, -2, 2]), Tensor([-3.0, 3.5, 0])), .exact)
    expectClose(abs(complex(Tensor([3.0, 1e300, -5]), Tensor([4.0, 1e300, 12]))), [5, 1e300 * 2.0.squareRoot(), 13], .ulps(1))
    #expect((a .== a).doubles() == [1, 1, 1])
    #expect((a .!= b).doubles() == [1, 1, 1])
    // Integer powers by repeated products.
    expectClose(pow(a, complex(Tensor([3.0, 3, 3]), Tensor([0.0, 0, 0]))), a * a * a, Tolerance(ulps: 16, epsilons: 32))
    expectClose(pow(a, complex(Tensor([0.0, 0, 0]), Tensor([0.0, 0, 0]))), complex(Tensor([1.0, 1, 1]), Tensor([0.0, 0, 0])), .exact)
  }

  @Test func sums() {
    let x = complex(Tensor([[1.0, 2], [3, 4]].flatMap { $0 }, shape: [2, 2]), Tensor([0.5, -1, 2, 0], shape: [2, 2]))
    expectClose(x.sum(alongAxis: 0), complex(Tensor([4.0, 6]), Tensor([2.5, -1])), .exact)
    expectClose(x.product(), complex(Tensor(16.0), Tensor(60.0)) * 0 + (x[0, 0] * x[0, 1] * x[1, 0] * x[1, 1]), .ulps(2))
    // (1 + i/2)(1 + i/2) + (2 - i)(3 + 2i), and so on.
    let square = x.matmul(x)
    expectClose(square.real, [8.75, 10.5, 14, 24], .exact)
    expectClose(square.imaginary, [2, -4, 11.5, 1], .exact)
  }
}
