import FluxionCore
import FluxionOptimisers
import FluxionTransforms
import Testing

/// Iterates after some numbers of steps in double precision, from Optax 0.2.8 on JAX 0.10.2.
private struct Row: Sendable, CustomStringConvertible {
  var description: String
  var optimiser: any Optimiser
  /// f(x, y) = (1 - x)² + 100 (y - x²)² from (-1.2, 1), by number of steps.
  var rosenbrock: [Int: [Double]]
  /// ½ ‖A W - B‖² after 20 steps.
  var leastSquares: [Double]
  /// Twenty steps near a steep wall multiply the rounding errors of the first.
  var tolerance: Double

  init(
    _ name: String, _ optimiser: any Optimiser, rosenbrock: [Int: [Double]], leastSquares: [Double], tolerance: Double = 1e-10
  ) {
    self.tolerance = tolerance
    description = name
    self.optimiser = optimiser
    self.rosenbrock = rosenbrock
    self.leastSquares = leastSquares
  }
}

private let rows = [
  Row(
    "gradientDescent", GradientDescent(learningRate: 1e-3),
    rosenbrock: [
      1: [-0.98439999999999994, 1.0880000000000001], 2: [-1.0272715665664001, 1.0642086720000001], 3: [-1.0268830682337082, 1.0624243118951573],
      10: [-1.0214113342697504, 1.0512622673760386], 20: [-1.0135612207526075, 1.0352940530350656],
    ],
    leastSquares: [
      0.45983554931758108, -0.40100429725508285, 0.3138449999931045,
      0.23301786319609982, 0.52363735278309109, -0.15387834170493786,
    ]),
  Row(
    "momentum", GradientDescent(learningRate: 1e-3, momentum: 0.9),
    rosenbrock: [
      1: [-0.98439999999999994, 1.0880000000000001], 2: [-0.83323156656640007, 1.1434086720000001], 3: [-0.84320650674307052, 1.1034497111045394],
      10: [-0.81392323129530575, 0.7548677722225039], 20: [-0.63896890041444121, 0.26784971939761182],
    ],
    leastSquares: [
      0.31424970333646035, -0.031715746367927067, 0.50560122471468583,
      0.18259291903348054, 0.56909768242708281, 0.2253480319544576,
    ]),
  Row(
    "nesterov", GradientDescent(learningRate: 1e-3, momentum: 0.9, isNesterov: true),
    rosenbrock: [
      1: [-0.79035999999999995, 1.1672], 2: [-0.93480472316902141, 1.0323181932479999], 3: [-1.0188861829366709, 0.94836599718342196],
      10: [-0.87991832843946083, 0.78194618134657501], 20: [-0.75740379708520988, 0.58137251605613016],
    ],
    leastSquares: [
      0.31532260334714579, -0.031490297830784414, 0.49300705808920531,
      0.18610214486146767, 0.55742563441776194, 0.23123809622478633,
    ]),
  Row(
    "adagrad", AdaGrad(learningRate: 0.1),
    rosenbrock: [
      1: [-1.1000001075653079, 1.0999993543444504], 2: [-1.0762981224796453, 1.1242529525560541], 3: [-1.0678297262441052, 1.1317644908486835],
      10: [-1.0587669829783701, 1.1272604773857309], 20: [-1.0522264513231143, 1.1134619556404612],
    ],
    leastSquares: [
      0.26178792347786323, 0.018318369266132568, 0.3864475600930789,
      0.28019622156345186, 0.35077874218192628, 0.29233248804508705,
    ]),
  Row(
    "rmsprop", RMSProp(learningRate: 1e-2),
    rosenbrock: [
      1: [-1.1683772233983503, 1.0316227766014796], 2: [-1.1488789101210826, 1.0513609805783504], 3: [-1.134329793513531, 1.0661665731620322],
      10: [-1.0824434602474462, 1.1184711319207936], 20: [-1.0628243130394905, 1.132349010787147],
    ],
    leastSquares: [
      0.31449298631105049, -0.24948567074606864, 0.45455873361382371,
      0.22436328694831392, 0.57769882906379288, 0.0058758098240944377,
    ]),
  Row(
    "rmsprop centred", RMSProp(learningRate: 1e-2, isCentred: true),
    rosenbrock: [
      1: [-1.1666666666667065, 1.0333333333330943], 2: [-1.1453074676375345, 1.0549796623650658], 3: [-1.1289557960567935, 1.0716588424903251],
      10: [-1.0738875784237829, 1.1265936768731093], 20: [-1.0607693459042085, 1.1308361442573667],
    ],
    leastSquares: [
      0.29385512371814954, -0.14041513684435919, 0.45803352451252405,
      0.24183102161108735, 0.52657104275928468, 0.12561598669348026,
    ]),
  Row(
    "rmsprop momentum", RMSProp(learningRate: 1e-2, momentum: 0.9),
    rosenbrock: [
      1: [-1.1683772233983503, 1.0316227766014796], 2: [-1.1204184111795978, 1.0798214795196821], 3: [-1.0671739276391488, 1.1335478737565872],
      10: [-1.0131031221936186, 1.151368349626616], 20: [-0.99814690098180869, 1.0887126459530789],
    ],
    leastSquares: [
      0.1741960149274713, 0.26470180079634958, 0.11938796696758233,
      0.3174563034062482, -0.031415621631880219, 0.63459546062403327,
    ]),
  Row(
    "adam", Adam(learningRate: 1e-2),
    rosenbrock: [
      1: [-1.1900000000004638, 1.0099999999988636], 2: [-1.1800319627914446, 1.0199711121251558], 3: [-1.1701205476626875, 1.029890618969127],
      10: [-1.1049555420644475, 1.0953346172030314], 20: [-1.0438594610679865, 1.1558687360358371],
    ],
    leastSquares: [
      0.33332679488436467, -0.30867704396888274, 0.43418667989096105,
      0.14243866917087689, 0.65405015690157597, -0.056310624944130104,
    ]),
  Row(
    "adam, root", Adam(learningRate: 1e-2, epsilonRoot: 1e-3),
    rosenbrock: [
      1: [-1.1900000001080291, 1.0099999993532025], 2: [-1.1800319630144414, 1.0199711107851843], 3: [-1.1701205480084356, 1.0298906168841191],
      10: [-1.1049555433201987, 1.0953346085185607], 20: [-1.0438594613868368, 1.1558687191280386],
    ],
    leastSquares: [
      0.33333888552810442, -0.30867980239132797, 0.43417773616297572,
      0.14246441444619914, 0.65399985707661412, -0.056314698684342704,
    ]),
  Row(
    "nadam", Adam(learningRate: 1e-2, isNesterov: true),
    rosenbrock: [
      1: [-1.1852631578954202, 1.0147368421035885], 2: [-1.1740762755852165, 1.0259537972678736], 3: [-1.1638194287492332, 1.0362488980834441],
      10: [-1.1014801225411213, 1.0990014002299195], 20: [-1.0472193685973263, 1.1523220794090192],
    ],
    leastSquares: [
      0.33356424128719975, -0.30333830088875913, 0.4366421134638363,
      0.15418289774625263, 0.64789912284317397, -0.050224472244655399,
    ]),
  Row(
    "adamw", AdamW(learningRate: 1e-2),
    rosenbrock: [
      1: [-1.1899988000004638, 1.0099989999988637], 2: [-1.180029575390724, 1.0199691000276094], 3: [-1.1701169875422686, 1.0298875809120951],
      10: [-1.1049444142220139, 1.0953237884389433], 20: [-1.0438407398604472, 1.1558432911945917],
    ],
    leastSquares: [
      0.33332072279871805, -0.30866903777020382, 0.43418022397650463,
      0.14244030357192361, 0.65403943448652146, -0.056307462613039282,
    ]),
  Row(
    "amsgrad", Adam(learningRate: 1e-2, denominator: .largestCorrected),
    rosenbrock: [
      1: [-1.1900000000004638, 1.0099999999988636], 2: [-1.1804373693983992, 1.0195944976054556], 3: [-1.1713076259422959, 1.0287837619911002],
      10: [-1.118992115280721, 1.0819606000741135], 20: [-1.0748434895463461, 1.1271376568253877],
    ],
    leastSquares: [
      0.36393105423356031, -0.32895107454315631, 0.4065546193652374,
      0.15269945580083952, 0.62426939947680948, -0.073014667713852732,
    ]),
  Row(
    "lion", Lion(learningRate: 1e-3),
    rosenbrock: [
      1: [-1.1989988, 1.000999], 2: [-1.1979976010012001, 1.001997999001], 3: [-1.1969964030035991, 1.002996997003001],
      10: [-1.18998804505388, 1.0099899550451199], 20: [-1.1799761902268588, 1.019979810191139],
    ],
    leastSquares: [
      0.4799901900938594, -0.4799901900938594, 0.26999481004863973,
      0.22999519004635974, 0.51998981009613943, -0.22999519004635974,
    ]),
  Row(
    "clipped", ClipByGlobalNorm(1).then(GradientDescent(learningRate: 0.1)),
    rosenbrock: [
      1: [-1.1074152356304801, 1.0377896997426612], 2: [-1.0155421462517491, 1.0772781214382381], 3: [-1.1002292692011444, 1.0240983207000443],
      10: [-0.98719414254708759, 1.0237496817811649], 20: [-0.9514818262062944, 0.95779543451575033],
    ],
    leastSquares: [
      0.25909559969317253, 0.22027393975624526, 0.15297349075247577,
      0.28283002198202223, 0.15511280426296598, 0.69934353155191609,
    ]),
  Row(
    "clipped by value", ClipByValue(1).then(Adam(learningRate: 0.1)),
    rosenbrock: [
      1: [-1.1000000009999999, 1.099999999], 2: [-1.0000000020000006, 1.1999999979999993], 3: [-0.97380074026937335, 1.2261992597306266],
      10: [-1.0310518481989179, 1.0501765166108179], 20: [-1.0065261745439364, 0.96404202036332998],
    ],
    leastSquares: [
      0.27925345167699922, 0.38325239078862255, 0.058416037051718536,
      0.31624415489196145, 0.0096421194929592943, 0.87676861726192223,
    ]),
  Row(
    "coupled decay", WeightDecay(0.1).then(GradientDescent(learningRate: 1e-3)),
    rosenbrock: [
      1: [-0.98428000000000004, 1.0879000000000001], 2: [-1.0271013086004992, 1.0639726336800002], 3: [-1.0266565600078319, 1.0620591293064037],
      10: [-1.0207522467224766, 1.0500167731343188], 20: [-1.0122829929457666, 1.0328051956828321],
    ],
    leastSquares: [
      0.45898317857471393, -0.40014156002690843, 0.31331007739880185,
      0.23260369020826627, 0.52262789870267357, -0.15347315517722732,
    ]),
  Row(
    "scheduled adamw", AdamW(learningRate: .warmupCosine(peak: 0.02, warmup: 5, steps: 15, to: 0.001), weightDecay: 0.01),
    rosenbrock: [
      1: [-1.2, 1], 2: [-1.1959520012216636, 1.0039599988046213], 3: [-1.1878669744183394, 1.0118699400704934],
      10: [-1.0801377530933256, 1.1174593581100103], 20: [-1.0595576953038404, 1.1372070034983821],
    ],
    leastSquares: [
      0.35616797377620069, -0.34422332133733446, 0.40135128066900627,
      0.1303888999406986, 0.63816363558972322, -0.093396734233688189,
    ],
    // Optax computes schedules in single precision.
    tolerance: 5e-9),
]

/// The same from PyTorch 2.15, after 1, 2, 3 and 10 steps on the first function, to ten digits.
private let torchRows: [(String, any Optimiser, [Int: [Double]])] = [
  (
    "Adagrad", AdaGrad(learningRate: 0.1, initialSum: 0, epsilon: 1e-10, epsilonIsUnderRoot: false),
    [1: [-1.1, 1.1], 2: [-1.0762981581, 1.1242535625], 3: [-1.0678298519, 1.1317650331], 10: [-1.0587671822, 1.1272608891]]
  ),
  (
    "RMSprop", RMSProp(learningRate: 1e-2, decay: 0.99, epsilonIsUnderRoot: false),
    [1: [-1.1, 1.0999999999], 2: [-1.0761855084, 1.1243685088], 3: [-1.0677047397, 1.1318742774], 10: [-1.0586165351, 1.1269467399]]
  ),
  (
    "RMSprop, centred", RMSProp(learningRate: 1e-2, decay: 0.99, epsilonIsUnderRoot: false, isCentred: true),
    [1: [-1.0994962185, 1.1005037814], 2: [-1.0758230616, 1.1247127226], 3: [-1.0674882203, 1.1320357331], 10: [-1.0585450453, 1.1268005019]]
  ),
  (
    "RMSprop, momentum", RMSProp(learningRate: 1e-2, decay: 0.99, epsilonIsUnderRoot: false, momentum: 0.9),
    [1: [-1.1, 1.0999999999], 2: [-0.9861855084, 1.2143685087], 3: [-0.9221583770, 1.2698959196], 10: [-1.0724715666, 0.9621654081]]
  ),
  (
    "Adam, amsgrad", Adam(learningRate: 1e-2, denominator: .largest),
    [1: [-1.19, 1.01], 2: [-1.1800319628, 1.0199711121], 3: [-1.1701205477, 1.0298906190], 10: [-1.1049555421, 1.0953346172]]
  ),
  (
    "Adam, coupled decay", WeightDecay(0.1).then(Adam(learningRate: 1e-2)),
    [1: [-1.19, 1.01], 2: [-1.1800319412, 1.0199710628], 3: [-1.1701204637, 1.0298904262], 10: [-1.1049512095, 1.0953242402]]
  ),
  (
    "AdamW", AdamW(learningRate: 1e-2, weightDecay: 1e-2),
    [1: [-1.18988, 1.0099], 2: [-1.1797932350, 1.0197699120], 3: [-1.1697645727, 1.0295868419], 10: [-1.1038433471, 1.0942521282]]
  ),
]

struct Point: Structured, Sendable {
  var x: Tensor
  var y: Tensor
}

func rosenbrock(_ p: Point) -> Tensor {
  let valley = p.y - p.x.squared()
  return (1 - p.x).squared() + valley.squared() * 100
}

let start = Point(x: Tensor(-1.2, as: .float64), y: Tensor(1, as: .float64))

private func leastSquares(_ w: Tensor) -> Tensor {
  let a = Tensor([1.0, 2, 0, 1, 3, 1], shape: [3, 2])
  let b = Tensor([1.0, 0, 2, 0, 1, 0, 1, 1, 1], shape: [3, 3])
  return (a.matmul(w) - b).squared().sum() * 0.5
}

/// Every iterate, from the first step on.
private func trajectory<M: Structured>(_ optimiser: any Optimiser, _ f: (M) -> Tensor, _ start: M, steps: Int) -> [M] {
  func run<O: Optimiser>(_ optimiser: O) -> [M] {
    var (x, state) = (start, optimiser.initialState(for: start))
    return (0..<steps).map { _ in
      optimiser.step(gradient(of: f, at: x), parameters: &x, state: &state)
      return x
    }
  }
  return run(optimiser)
}

@Suite("Trajectories") struct TrajectoryTests {
  @Test("equal to Optax's", arguments: rows) private func optax(_ row: Row) {
    let path = trajectory(row.optimiser, rosenbrock, start, steps: 20)
    for (n, expected) in row.rosenbrock {
      let point = path[n - 1]
      let gap = max(abs(point.x.item() - expected[0]), abs(point.y.item() - expected[1]))
      #expect(gap < row.tolerance, "step \(n): (\(point.x.item()), \(point.y.item())) against \(expected)")
    }
    let w = Tensor([0.5, -0.5, 0.25, 0.25, 0.5, -0.25], shape: [2, 3])
    let end = trajectory(row.optimiser, leastSquares, w, steps: 20)[19].doubles()
    for (x, y) in zip(end, row.leastSquares) { #expect(abs(x - y) < row.tolerance, "\(x) against \(y)") }
  }

  @Test("equal to PyTorch's", arguments: torchRows.indices) private func torch(_ i: Int) {
    let (name, optimiser, expected) = torchRows[i]
    let path = trajectory(optimiser, rosenbrock, start, steps: 10)
    for (n, point) in expected {
      let gap = max(abs(path[n - 1].x.item() - point[0]), abs(path[n - 1].y.item() - point[1]))
      // The last of ten digits, and no more.
      #expect(gap < 1e-9, "\(name), step \(n): (\(path[n - 1].x.item()), \(path[n - 1].y.item())) against \(point)")
    }
  }

  @Test("zero gradients move nothing and give no NaN", arguments: rows) private func still(_ row: Row) {
    func run<O: Optimiser>(_ optimiser: O) -> [Double] {
      var (x, state) = (Tensor([1.0, -2]), optimiser.initialState(for: Tensor([1.0, -2])))
      for _ in 0..<3 { optimiser.step(Tensor([0.0, 0]), parameters: &x, state: &state) }
      return x.doubles()
    }
    let x = run(row.optimiser)
    // Weight decay alone moves by at most η λ θ a step.
    #expect(abs(x[0] - 1) < 2e-3 && abs(x[1] + 2) < 2e-3, "\(x)")
  }
}
