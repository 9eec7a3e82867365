import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

@Suite("printed tensors", .device(.reference)) struct TensorDescriptionTests {
  @Test func columnsAreAligned() {
    #expect("\(Tensor([1.5, -22.25, 0.0, 1e-7], shape: [2, 2]))" == "[[   1.5, -22.25],\n [   0.0,  1e-07]]")
    #expect("\(Tensor([Int32(1), -20, 300]))" == "[  1, -20, 300]")
    #expect("\(Tensor([true, false]))" == "[ true, false]")
    #expect("\(arange(8).reshaped(to: [2, 2, 2]))" == "[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]")
  }
  @Test func digits() {
    #expect("\(Tensor(Float(0.1)))" == "0.1")
    #expect("\(Tensor([Float(3.14159265), 123456.789]))" == "[3.14159,  123457]")
    #expect("\(Tensor(3.14159265358979))" == "3.1415927")
    #expect("\(Tensor([.nan, -.infinity, -0.0]))" == "[ nan, -inf, -0.0]")
    #expect("\(complex(Tensor([1.0]), Tensor([-2.5])))" == "[1.0-2.5i]")
    #expect("\(Tensor(Float(2)))" == "2.0")
  }
  @Test func longArraysAreShortened() {
    #expect("\(arange(2000))" == "[   0,    1,    2, …, 1997, 1998, 1999]")
    let lines = "\(Tensor.zeros([2000, 2]))".split(separator: "\n")
    #expect(lines.count == 7 && lines[3] == " …,")
    #expect("\(Tensor.zeros([0, 4]))" == "[] (f32[0,4])")
    #expect("\(arange(1000))".contains("500"))
  }
  @Test func tracedTensorsShowTheirType() throws {
    var seen = ""
    _ = try trace({ (x: Tensor) in seen = "\(x)"; return x }, like: Tensor.zeros([2, 3]))
    #expect(seen == "traced f32[2,3]")
  }
}

@Suite("printed graphs") struct GraphDescriptionTests {
  @Test func program() throws {
    let graph = try trace(
      { (x: Tensor) in
        let last = scan(over: x, from: Tensor.zeros([3])) { carry, row in tanh(carry) + row * 2 }
        return (last .> 0).any()
      }, like: Tensor.zeros([4, 3]))
    #expect(
      "\(graph)" == """
        (%0: f32[4,3]) {
          %1: f32[] = constant 0.0
          %2: f32[3] = broadcast %1 (axes: [])
          %3: f32[3] = scan %2, %0 (length: 4, constants: 0, carries: 1)
            body (%0: f32[3], %1: f32[3]) {
              %2: f32[3] = tanh %0
              %3: f32[] = constant 2.0
              %4: f32[3] = broadcast %3 (axes: [])
              %5: f32[3] = multiply %1, %4
              %6: f32[3] = add %2, %5
              return %6
            }
          %4: bool[3] = greater %3, %2
          %5: bool[] = reduce.any %4 (axes: [0])
          return %5
        }
        """)
  }

  @Test func attributes() throws {
    let graph = try trace(
      { (x: Tensor) in
        let table = Tensor([Int32(1), 2, 3, 4], shape: [2, 2])
        let picked = x.transposed()[1..<3, .all].gathered(table)
        return cond(picked.sum() .> 0, then: { picked.padded(low: [0, 0, 1], high: [0, 0, 0]) }, else: { picked.padded(low: [0, 0, 0], high: [0, 0, 1]) })
      }, like: Tensor.zeros([2, 5], as: .float64))
    let text = "\(graph)"
    #expect(text.contains("constant [[1, 2], [3, 4]]"))
    #expect(text.contains("slice %1 (start: [1, 0], limit: [3, 2], stride: [1, 1])"))
    #expect(text.contains("    branch 0 ("))
    #expect(text.contains("    branch 1 ("))
    #expect(text == "\(graph)")
    #expect(throws: Never.self) { try graph.verify() }
  }

  @Test func largeConstantsAreCounted() throws {
    let table = Tensor((0..<40).map { Float($0) })
    let graph = try trace({ (x: Tensor) in x + table }, like: Tensor.zeros([40]))
    #expect("\(graph)".contains("%1: f32[40] = constant of 40 elements"))
  }

  @Test func callSites() throws {
    let graph = try withCallSites { try trace({ (x: Tensor) in exp(x) }, like: Tensor(1.0)) }
    #expect("\(graph)".contains("exp %0  // TextTests.swift:\(#line - 1)"))
  }
}
