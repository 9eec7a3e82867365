import FluxionCore
import Testing

/// What JAX 0.10.2 gives (`threefry2x32`, `jax_threefry_partitionable` on, 64-bit types enabled): `jax.random.bits`, `uniform` (by its
/// bits), `normal`, `split` into three, `fold_in` of 7 and of 4 000 000 000.
private struct JAXRow: Sendable, CustomStringConvertible {
  var seed: Int
  var bits: [UInt32]
  var uniform32: [UInt32]
  var uniform64: [UInt64]
  var normal32: [Float]
  var normal64: [Double]
  var split: [UInt32]
  var fold: [UInt32]
  var foldLarge: [UInt32]
  var description: String { "seed \(seed)" }
}

private let rows = [
  JAXRow(
    seed: 0,
    bits: [0xF29A4FA7, 0xFA843692, 0x55110E28, 0x77FAA835, 0x91E43BB7, 0x2A5E6943, 0x4F68EA7D],
    uniform32: [0x3F729A4E, 0x3F7A8436, 0x3EAA221C, 0x3EEFF550, 0x3F11E43A, 0x3E2979A0],
    uniform64: [0x3FDAC80056666E90, 0x3FCBAF91C7E6ED88, 0x3FEEE3E9D53441C8, 0x3FE2624EF17C9D1A, 0x3FE107FFD8233B78, 0x3FD6B6C4379C215C],
    normal32: [1.62264216, 2.02526474, -0.433594435, -0.0786173493, 0.176090896, -0.972089231],
    normal64: [-0.20584213947964339, -0.78476577644674106, 1.8160866726679836, 0.18784401289378869, 0.080867881037432754, -0.37211079333462033],
    split: [0x6B200159, 0x99BA4EFE, 0x375F238F, 0xCDDB151D, 0xF71F4EA9, 0xA20E4081],
    fold: [0xA1EF7A4D, 0x116EB6B3], foldLarge: [0x259AD920, 0x8E549429]),
  JAXRow(
    seed: 1,
    bits: [0x704A38B7, 0x88A4083E, 0x7227B57A, 0x703ABFF1, 0xE5B993A4, 0x8F1716BC, 0xFBDFED74],
    uniform32: [0x3EE09470, 0x3F08A408, 0x3EE44F68, 0x3EE0757C, 0x3F65B992, 0x3F0F1716],
    uniform64: [0x3FBE3F18356E7520, 0x3FDD0A621DBF2360, 0x3FE23195223C7562, 0x3FEA95DD0DF4928A, 0x3FC9E96656EB35A8, 0x3FE82A3CEE69C8DE],
    normal32: [-0.154437184, 0.084707275, -0.135980487, -0.155036256, 1.26666737, 0.148297578],
    normal64: [-1.184284421837855, -0.11617040844628398, 0.17269028009903425, 0.95730717905403917, -0.83295414507441778, 0.69080517162864064],
    split: [0x1E3F1835, 0x6E752082, 0x74298876, 0xFC8D8048, 0x918CA911, 0xE3AB1C6B],
    fold: [0x38E71E7A, 0xEF6BA66E], foldLarge: [0xC602AAC0, 0x6BBA184B]),
  JAXRow(
    seed: 42,
    bits: [0x7D1C13A2, 0xAE0730D9, 0x9DC3F9F9, 0x8F9EC1D7, 0x735D7315, 0x95FB4ED8, 0x1326B799],
    uniform32: [0x3EFA3824, 0x3F2E0730, 0x3F1DC3F8, 0x3F0F9EC0, 0x3EE6BAE4, 0x3F15FB4E],
    uniform64: [0x3FDB4F8123C40884, 0x3F8EBD996D6E8400, 0x3FE25F641D41E71A, 0x3FE75AAD28C6A974, 0x3FE60275DC7869DA, 0x3FE49B2352C6244A],
    normal32: [-0.028304616, 0.467131853, 0.295702964, 0.153545916, -0.124032818, 0.216923147],
    normal64: [-0.18471174528191162, -2.1698245603977542, 0.18693555179382582, 0.61226535705109586, 0.48962495047570181, 0.36900430470828355],
    split: [0x6D3E048F, 0x1022172D, 0x03D7B32D, 0xADD083F4, 0x92FB20EA, 0x0F38D913],
    fold: [0x97D0552F, 0x51BF719F], foldLarge: [0xF7781FD1, 0x81953B68]),
  JAXRow(
    seed: 123456789,
    bits: [0x499B4BA9, 0xB199D278, 0x66F99AC6, 0xB5886B8F, 0x74A21228, 0xC28AFC51, 0x1FC7B148],
    uniform32: [0x3E933694, 0x3F3199D2, 0x3ECDF334, 0x3F35886A, 0x3EE94424, 0x3F428AFC],
    uniform64: [0x3F98E472993E8940, 0x3FE7EA4F8CA1D974, 0x3FDD52322144EC54, 0x3FEB91134CED201E, 0x3FC1182F24AB4920, 0x3FEE26A60D8677F8],
    normal32: [-0.560627401, 0.506517828, -0.247537479, 0.55079478, -0.111530021, 0.706087887],
    normal64: [-1.9719272040625224, 0.66618129139685733, -0.10511611849472935, 1.0868995550583456, -1.1097631937540258, 1.5736676868934889],
    split: [0x06391CA6, 0x4FA2570F, 0xBF527C65, 0x0ECBAE1D, 0x7548C885, 0x13B15243],
    fold: [0x67E51D64, 0x45C90EA5], foldLarge: [0xF9814B59, 0x89F4F918]),
  JAXRow(
    seed: 8589934597,
    bits: [0x22D93393, 0x4297CDB3, 0x929ACC76, 0x7495AC9E, 0x50EABE9A, 0xCDFE4B1B, 0x1E8AAC78],
    uniform32: [0x3E0B64C8, 0x3E852F98, 0x3F129ACC, 0x3EE92B58, 0x3EA1D57C, 0x3F4DFE4A],
    uniform64: [0x3FCAC77BBE0BABE0, 0x3FD646776906E384, 0x3FC83A14DFD17770, 0x3FD1DC11AD4CF978, 0x3FE2C0E5E198DDB2, 0x3FD1E329F0E29CB8],
    normal32: [-1.09788811, -0.642948449, 0.183187485, -0.112007208, -0.478683531, 0.858389914],
    normal64: [-0.80915586378464643, -0.39058791332472853, -0.88058031702471429, -0.58564530303499862, 0.2173882746865522, -0.58435728315033753],
    split: [0x358EF77C, 0x1757C4EF, 0x5919DDA4, 0x1B8E1017, 0x307429BF, 0xA2EEE5C9],
    fold: [0xF53E00F3, 0x7F6497B9], foldLarge: [0x12ACAF2C, 0x775EBDDB]),
]

/// The distance in representable numbers.
private func ulps(_ a: Float, _ b: Float) -> Int { abs(Int(Int32(bitPattern: a.bitPattern)) - Int(Int32(bitPattern: b.bitPattern))) }

@Suite("Random numbers equal JAX's") struct RandomTests {
  @Test("bits", arguments: rows) private func bits(_ row: JAXRow) {
    #expect(Key(row.seed).bits([7]).elements(as: UInt32.self) == row.bits)
    // The shape only arranges the numbers.
    #expect(Key(row.seed).bits([7, 1]).elements(as: UInt32.self) == row.bits)
  }

  @Test("uniform, bit for bit", arguments: rows) private func uniform(_ row: JAXRow) {
    let single = Key(row.seed).uniform([2, 3])
    #expect(single.elements(as: Float.self).map(\.bitPattern) == row.uniform32)
    let double = Key(row.seed).uniform([2, 3], as: .float64)
    #expect(double.elements(as: Double.self).map(\.bitPattern) == row.uniform64)
  }

  @Test("normal, to a few units in the last place", arguments: rows) private func normal(_ row: JAXRow) {
    let single = Key(row.seed).normal([2, 3]).elements(as: Float.self)
    for (x, y) in zip(single, row.normal32) { #expect(ulps(x, y) <= 8, "\(x) against \(y)") }
    let double = Key(row.seed).normal([2, 3], as: .float64).elements(as: Double.self)
    for (x, y) in zip(double, row.normal64) { #expect(abs(x - y) <= 1e-14 * max(1, abs(y)), "\(x) against \(y)") }
  }

  @Test("split and fold", arguments: rows) private func derivedKeys(_ row: JAXRow) {
    let key = Key(row.seed)
    #expect(key.splitWords(3).elements(as: UInt32.self) == row.split)
    #expect(key.split(3).flatMap { $0.words.elements(as: UInt32.self) } == row.split)
    #expect(key.fold(7).words.elements(as: UInt32.self) == row.fold)
    #expect(key.fold(4_000_000_000).words.elements(as: UInt32.self) == row.foldLarge)
  }

  // Below: JAX with `jax.random.key(7)`, the 64-bit types enabled where f64 is named.
  private let key = Key(7)

  @Test("uniform in a range") func range() {
    let single = key.uniform([5], in: -2.5..<4).elements(as: Float.self)
    let expected: [UInt32] = [0x3FF0_D7C2, 0x4075_70CD, 0xBF08_117C, 0x3EC5_7E74, 0x4010_0C7F]
    // A compiler may fuse the product and the sum, which saves one rounding of a number below 8.
    #expect(zip(single, expected).allSatisfy { abs($0 - Float(bitPattern: $1)) <= 4.8e-7 })
    let double = key.uniform([5], in: -2.5..<4, as: .float64).elements(as: Double.self)
    let expected64: [UInt64] = [
      0x4007_E4C0_6C53_AB45, 0xC001_A377_B902_D170, 0xBFF0_9A02_6328_D320, 0xC000_A6E6_195C_1F26, 0xC003_6111_9A72_9BBC,
    ]
    #expect(zip(double, expected64).allSatisfy { abs($0 - Double(bitPattern: $1)) <= 1e-15 })
  }

  @Test("integers") func integers() {
    #expect(key.integers([8], in: 0..<10).elements(as: Int32.self) == [9, 2, 0, 7, 2, 6, 4, 4])
    #expect(
      key.integers([4], in: -2_147_483_648..<2_147_483_647).elements(as: Int32.self)
        == [752_193_311, 1_400_917_350, -455_323_268, -325_042_195])
    #expect(
      key.integers([4], in: -1000..<1_000_000_007).elements(as: Int32.self)
        == [899_673_945, 548_396_977, 692_158_373, 822_439_446])
  }

  @Test("permutation") func permutation() {
    #expect(key.permutation(10).elements(as: Int32.self) == [9, 4, 2, 3, 5, 0, 7, 6, 1, 8])
    // Two rounds of sorting.
    let long = key.permutation(5000).elements(as: Int32.self)
    #expect(long.prefix(6) == [801, 2388, 2559, 1874, 528, 2226])
    #expect(long.sorted() == Array(0..<5000))
    #expect(key.permutation(1).elements(as: Int32.self) == [0])
    #expect(key.permutation(0).elements(as: Int32.self) == [])
  }

  @Test("the other distributions") func others() {
    func close(_ x: Tensor, _ expected: [Double], _ tolerance: Double = 1e-13) -> Bool {
      zip(x.doubles(), expected).allSatisfy { abs($0 - $1) <= tolerance }
    }
    #expect(
      close(
        key.truncatedNormal([4], in: -1...2, as: .float64),
        [1.0348762783990351, -0.85661172601557167, -0.40476138781682103, -0.8017079309344064]))
    #expect(
      close(
        key.exponential([4], as: .float64),
        [1.8585850522259963, 0.046476058162295872, 0.25487241200988442, 0.06655185868468777]))
    #expect(
      close(
        key.laplace([4], as: .float64), [-1.1654378716660514, 2.3988188263562535, 0.79857602880637257, 2.0497180130659443]))
    #expect(
      close(
        key.gumbel([4], as: .float64), [1.7750434817033711, -1.1288071367825301, -0.3999319680607421, -1.0090030651502209]))
    #expect(
      key.bernoulli([12], probability: 0.3).elements(as: Bool.self)
        == [false, false, false, false, false, false, false, false, true, true, false, false])
    #expect(key.rademacher([8]).doubles() == [-1, -1, 1, 1, -1, -1, 1, 1])
    #expect(
      key.categorical(logits: [0.1, 0.5, -1, 2], repeats: [12]).elements(as: Int32.self)
        == [1, 3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 3])
    #expect(
      close(
        key.orthogonal(3, as: .float64),
        [
          0.545913450531438, -0.834165977440457, 0.07839404702952, -0.819811105842398, -0.512515174507745, 0.255417201137199,
          0.172882200548014, 0.203703995984622, 0.963647459786811,
        ]))
  }

  @Test("a tensor of many words") func many() {
    let bits = Key(3).bits([70_000]).elements(as: UInt32.self)
    #expect(bits.suffix(3) == [0x9A17_1AA3, 0xF828_1377, 0x3D11_7094])
    #expect(bits.reduce(0, ^) == 0xDB56_3A4F)
  }
}
