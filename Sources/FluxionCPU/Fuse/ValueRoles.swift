import FluxionCore

/// What becomes of each value of a graph: in memory of its own, seen through a view, or computed where it is read.
///
/// The default is generous: every elementwise result may need memory, every view may not. From there, values that a kernel must
/// find in memory are pinned, and values that are cheaper to compute again than to keep are made inline.
final class ValueRoles {
  enum Role: UInt8 {
    /// An input, a large constant or the result of a kernel of its own: in memory.
    case memory
    /// One number, written into the programs that use it.
    case scalar
    /// A view of its operand, or a ramp: no memory unless pinned.
    case view
    /// Elementwise: in memory, or inline.
    case computed
    /// A reduction: in memory.
    case reduced
    /// The result of a barrier: its operand, later.
    case fenced
    /// What the kernel that would read it does without.
    case spared
  }

  let graph: Graph
  private(set) var role: [Role]
  private var makers: [Int32]
  private(set) var isPinned: [Bool]
  private var isInline: [Bool]
  /// Values whose group must write them: set when groups are known.
  private var stored: [Bool]
  /// Values that other groups compute again rather than read.
  private var recomputed: [Bool]
  /// Of the nodes that sum exponentials in one pass: what is summed.
  private var exponents: [Int: ValueID] = [:]
  /// Of the nodes that are products with sparse matrices.
  private var sparseProducts: [Int: SparseProduct] = [:]
  private var forms: [MemoryForm?]
  private var hasForm: [Bool]
  private var pinnedView = false

  init(_ graph: Graph, keepsEveryResult: Bool) {
    self.graph = graph
    let n = graph.types.count
    role = [Role](repeating: .memory, count: n)
    makers = [Int32](repeating: -1, count: n)
    isPinned = [Bool](repeating: false, count: n)
    isInline = [Bool](repeating: false, count: n)
    stored = [Bool](repeating: false, count: n)
    recomputed = [Bool](repeating: false, count: n)
    forms = [MemoryForm?](repeating: nil, count: n)
    hasForm = [Bool](repeating: false, count: n)
    assignRoles()
    if !keepsEveryResult { chooseSparseProducts() }
    // A view that is pinned lies differently from then on, and so do views of it; those seen before must be looked at again.
    repeat {
      pinnedView = false
      pinWhatKernelsRead()
    } while pinnedView
    if keepsEveryResult {
      for v in 0..<n where role[v] == .computed { isPinned[v] = true }
    } else {
      chooseInline()
      chooseExponentialSums()
    }
    // Forms were found while values could still be pinned.
    hasForm = [Bool](repeating: false, count: n)
  }

  // MARK: Questions

  /// The values that what computes the node reads.
  func operands(of n: Int) -> [ValueID] { exponents[n].map { [$0] } ?? sparseProducts[n]?.operands ?? graph.nodes[n].operands }
  /// The exponents, if the node is a sum of exponentials that is made in one pass.
  func exponents(of n: Int) -> ValueID? { exponents[n] }
  /// The product with a sparse matrix that the node is the end of.
  func sparseProduct(of n: Int) -> SparseProduct? { sparseProducts[n] }
  func maker(_ v: ValueID) -> Int? { makers[v.int] < 0 ? nil : Int(makers[v.int]) }
  func isView(_ v: ValueID) -> Bool { role[v.int] == .view || role[v.int] == .fenced }
  /// Whether a tile program can compute it.
  func isComputed(_ v: ValueID) -> Bool { role[v.int] == .computed || role[v.int] == .view }
  func isStored(_ v: ValueID) -> Bool { stored[v.int] || isPinned[v.int] }
  func store(_ v: Int) { stored[v] = true }
  func isRecomputed(_ v: Int) -> Bool { recomputed[v] }
  func recompute(_ v: Int) { recomputed[v] = true }

  /// Whether the value has, or may get, memory of its own.
  func isMaterialised(_ v: ValueID) -> Bool {
    switch role[v.int] {
    case .memory, .reduced: true
    case .scalar, .fenced, .spared: false
    case .view: isPinned[v.int]
    case .computed: isPinned[v.int] || !isInline[v.int]
    }
  }

  /// The nodes that make the starts of slices and updates.
  var windowStarts: Set<Int> {
    var found = Set<Int>()
    for node in graph.nodes {
      let starts: ArraySlice<ValueID>
      switch node.operation {
      case .dynamicSlice: starts = node.operands.dropFirst()
      case .dynamicUpdateSlice: starts = node.operands.dropFirst(2)
      default: continue
      }
      for v in starts { if let n = form(v).flatMap({ maker(ValueID($0.base)) }) { found.insert(n) } }
    }
    return found
  }

  func scalarConstant(_ v: ValueID) -> Constant? {
    guard role[v.int] == .scalar, case let .constant(constant) = graph.nodes[Int(makers[v.int])].operation else { return nil }
    return constant
  }

  /// Where the value's elements are, if they are in memory or seen there through views.
  func form(_ v: ValueID) -> MemoryForm? {
    if hasForm[v.int] { return forms[v.int] }
    let made = findForm(v)
    hasForm[v.int] = true
    forms[v.int] = made
    return made
  }

  private func findForm(_ v: ValueID) -> MemoryForm? {
    let shape = graph.types[v.int].shape
    if role[v.int] == .scalar || isMaterialised(v) {
      return MemoryForm(base: v.int, strides: shape.rowMajorStrides, offset: 0)
    }
    guard isView(v) else { return nil }
    let node = graph.nodes[Int(makers[v.int])]
    if role[v.int] == .fenced { return form(node.operands[v.int - node.firstResult.int]) }
    guard let x = node.operands.first, let inner = form(x) else { return nil }
    return inner.viewed(by: node.operation, operand: graph.types[x.int].shape, result: shape)
  }

  // MARK: Roles

  private func assignRoles() {
    for (n, node) in graph.nodes.enumerated() {
      for i in 0..<node.resultCount {
        let v = node.firstResult.int + i
        makers[v] = Int32(n)
        role[v] =
          switch node.operation {
          case let .constant(constant): constant.type.shape.elementCount == 1 ? .scalar : .memory
          case .iota, .broadcast, .reshape, .transpose, .slice, .reverse: .view
          case .threefry: .computed
          case .reduce: .reduced
          case .barrier: .fenced
          default: node.operation.isElementwise ? .computed : .memory
          }
      }
    }
  }

  /// Kernels other than tile programs read contiguous memory, products read matrices, and results are whole buffers.
  private func pinWhatKernelsRead() {
    for (n, node) in graph.nodes.enumerated() where role[node.firstResult.int] != .spared {
      let x = operands(of: n)
      switch node.operation {
      case _ where sparseProducts[n] != nil: for v in x { pinContiguous(v) }
      case .constant, .iota, .threefry, .reduce, .broadcast, .transpose, .slice, .reverse: break
      case .reshape: pinForReshape(node)
      case let .dot(d):
        if !isMatrix(x[0], batch: d.lhsBatch, rows: d.lhsFree(rank: graph.types[x[0].int].shape.rank), columns: d.lhsContracting) {
          pinContiguous(x[0])
        }
        if !isMatrix(x[1], batch: d.rhsBatch, rows: d.rhsContracting, columns: d.rhsFree(rank: graph.types[x[1].int].shape.rank)) {
          pinContiguous(x[1])
        }
      case .scan, .whileLoop, .conditional, .call: for v in x { pinContiguous(v, whole: true) }
      case .barrier: for v in x where role[v.int] != .scalar { pinMemory(v) }
      default:
        if !node.operation.isElementwise { for v in x { pinContiguous(v) } }
      }
    }
    for v in graph.outputs { pinContiguous(v, whole: true) }
  }

  /// Makes sure that the value lies contiguously in memory.
  ///
  /// - Parameter whole: from the first byte of its base on.
  private func pinContiguous(_ v: ValueID, whole: Bool = false) {
    if role[v.int] == .scalar { return }
    if let found = form(v), found.isContiguous(graph.types[v.int].shape), !whole || found.offset == 0 {
      pin(found.base)
      return
    }
    let node = graph.nodes[Int(makers[v.int])]
    switch node.operation {
    case .reshape: pinContiguous(node.operands[0], whole: whole)
    case .barrier: pinContiguous(node.operands[v.int - node.firstResult.int], whole: whole)
    default: pin(v.int)
    }
    // What is contiguous now may serve this value, too.
    hasForm = [Bool](repeating: false, count: hasForm.count)
  }

  /// Makes sure that the value can be read from memory through some view.
  private func pinMemory(_ v: ValueID) {
    if let found = form(v) { pin(found.base) } else { pinContiguous(v) }
  }

  private func pin(_ v: Int) {
    guard role[v] == .computed || role[v] == .view, !isPinned[v] else { return }
    isPinned[v] = true
    if role[v] == .view { pinnedView = true }
  }

  private func pinForReshape(_ node: Node) {
    let operand = graph.types[node.operands[0].int].shape
    let result = graph.types[node.firstResult.int].shape
    // Merged axes can be read through any map; split ones need memory.
    if reshapeGroups(operand, result).allSatisfy({ $0.operand.count == 1 }) { return }
    if let found = form(node.operands[0]), found.viewed(by: node.operation, operand: operand, result: result) != nil {
      pin(found.base)
    } else {
      pinContiguous(node.operands[0])
    }
  }

  private func isMatrix(_ v: ValueID, batch: [Int], rows: [Int], columns: [Int]) -> Bool {
    guard let found = form(v), MatrixForm(found, graph.types[v.int].shape, batch: batch, rows: rows, columns: columns) != nil
    else { return false }
    pin(found.base)
    return true
  }

  private func chooseSparseProducts() {
    let found = graph.sparseProducts()
    for product in found.products {
      sparseProducts[product.node] = product
      role[graph.nodes[product.node].firstResult.int] = .memory
    }
    for v in found.between { role[v.int] = .spared }
  }

  private func chooseExponentialSums() {
    for found in graph.exponentialSums()
    where found.between.allSatisfy({ role[$0.int] == .computed && !isPinned[$0.int] }) {
      exponents[found.node] = found.exponents
      for v in found.between { isInline[v.int] = true }
    }
  }

  // MARK: Inline

  private func chooseInline() {
    let uses = graph.useCounts
    // What is made of numbers and ramps alone, with how many operations.
    var leafless = [Int](repeating: -1, count: graph.types.count)
    for node in graph.nodes {
      let v = node.firstResult.int
      switch node.operation {
      case .constant: if role[v] == .scalar { leafless[v] = 0 }
      case .iota: leafless[v] = 1
      case .broadcast, .transpose, .slice, .reverse: leafless[v] = leafless[node.operands[0].int]
      default:
        guard node.operation.isElementwise, node.operation.isCheap else { break }
        var total = 1
        for x in node.operands { total = leafless[x.int] < 0 ? .min / 2 : total + leafless[x.int] }
        if total > 0 && total <= 6 { leafless[v] = total }
      }
      if role[v] == .computed && leafless[v] >= 0 && !isPinned[v] { isInline[v] = true }
    }
    // Values of one use, read in another order: they are computed in that order.
    var readers = [Int32](repeating: -1, count: graph.types.count)
    for (n, node) in graph.nodes.enumerated() { for x in node.operands { readers[x.int] = Int32(n) } }
    for v in graph.outputs { readers[v.int] = -1 }
    for node in graph.nodes where node.resultCount == 1 && node.operation.isElementwise {
      let v = node.firstResult.int
      guard role[v] == .computed, !isPinned[v], uses[v] == 1, readers[v] >= 0 else { continue }
      let reader = graph.nodes[Int(readers[v])]
      let r = reader.firstResult.int
      guard role[r] == .view, !isPinned[r] || graph.types[r].shape.elementCount <= graph.types[v].shape.elementCount else { continue }
      switch reader.operation {
      case .transpose, .reverse, .slice: if uses[r] == 1 { isInline[v] = true }
      case .broadcast: if node.operation.isCheap && graph.types[r].shape.elementCount <= 4096 { isInline[v] = true }
      default: break
      }
    }
  }
}

extension Operation {
  /// Whether it takes no more time for an element than loading one.
  var isCheap: Bool {
    switch self {
    case .convert, .bitcast, .select, .clamp, .compare, .complex: true
    case let .unary(f):
      switch f {
      case .negate, .abs, .sign, .square, .floor, .ceil, .round, .truncate, .not, .isFinite, .isNaN, .real, .imaginary,
        .conjugate, .stopGradient: true
      default: false
      }
    case let .binary(f):
      switch f {
      case .divide, .remainder, .power, .atan2, .nextAfter: false
      default: true
      }
    default: false
    }
  }
}
