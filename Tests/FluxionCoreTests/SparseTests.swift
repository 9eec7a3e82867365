import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

private let dense = Tensor([0.0, 2, 0, 1, 0, 0, 0, 3, 4], shape: [3, 3])

@Suite struct SparseTests {
  @Test func conversions() {
    let coo = COOMatrix(dense)
    #expect(coo.entryCount == 4 && coo.rows.doubles() == [0, 1, 2, 2] && coo.columns.doubles() == [1, 0, 1, 2])
    expectClose(coo.dense, dense, .exact)
    let csr = CSRMatrix(dense)
    #expect(csr.rowOffsets.doubles() == [0, 1, 2, 4] && csr.columns.doubles() == [1, 0, 1, 2])
    expectClose(csr.dense, dense, .exact)
    expectClose(csr.transposed.dense, dense.T, .exact)
    expectClose(csr.diagonal, [0, 0, 4], .exact)
  }

  @Test func emptyRowsAndDuplicates() {
    let a = COOMatrix(
      values: Tensor([1.0, 2, 3, 4]), rows: Tensor([3, 0, 3, 3] as [Int32]), columns: Tensor([1, 0, 1, 0] as [Int32]), shape: [5, 2])
    let csr = CSRMatrix(a)
    #expect(csr.rowOffsets.doubles() == [0, 1, 1, 1, 4, 4] && csr.coordinates.rows.doubles() == [0, 3, 3, 3])
    let summed = a.summingDuplicates()
    #expect(summed.values.doubles() == [2, 4, 4] && summed.rows.doubles() == [0, 3, 3] && summed.columns.doubles() == [0, 0, 1])
    expectClose(a.adding(a).scaled(by: 0.5).dense, a.dense, .exact)
    expectClose(a.summingDuplicates(size: 7).dense, a.dense, .exact, "what is left over is 0")
    #expect(COOMatrix(Tensor.zeros([2, 3])).entryCount == 0)
  }

  @Test func matricesAreStructures() {
    let x = Tensor([1.0, -1, 2])
    // ∂(1ᵀ A x)/∂a is the entry of 1 xᵀ at its place: of the sampled product.
    let g = gradient(of: { (a: CSRMatrix) in a.dot(x).sum() }, at: CSRMatrix(dense))
    expectClose(g.values, [-1, 1, -1, 2], .exact)
    let pattern = COOMatrix(dense)
    expectClose(sampledProduct(Tensor.ones([3, 1], as: .float64), x.expanded(at: 0), at: pattern).values, g.values, .exact)
    let products = vmap({ (v: Tensor) in pattern.replacingValues(v).dot(x) })(stacked([pattern.values, pattern.values * 2]))
    expectClose(products[1], dense.dot(x) * 2, .exact)
    let h = hessian { v in (pattern.replacingValues(v).dot(x).squared()).sum() }(pattern.values)
    // Entries of one row meet: 2 xⱼ xₖ.
    expectClose(h, [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, -4, 0, 0, -4, 8], .exact)
  }

  @Test func shapesThatDoNotFit() {
    #expect(throws: ProgramError.self) { try trace({ (x: Tensor) in COOMatrix(dense).dot(x) }, like: Tensor.zeros([4])) }
  }
}
