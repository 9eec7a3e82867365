public import FluxionCore

// Mapping a function over an axis of its arguments: written for one example, run for many at once. `over:` gives each argument's
// axis, nil for an argument that is the same for all; an axis holds for every tensor of a structured argument. Results get the mapped
// axis at `out:`.

/// A function of one tensor mapped over an axis of it.
public func vmap(_ function: @escaping (Tensor) -> Tensor, over axis: Int = 0, out: Int = 0) -> (Tensor) -> Tensor {
  { x in
    mapped([flatten(x)], [axis], out) { trees in function(trees[0].0[0]) }
  }
}

/// `function` mapped over axis `over` of its argument.
public func vmap<A: Structured, each R: Structured>(
  _ function: @escaping (A) -> (repeat each R), over axis: Int? = 0, out: Int = 0
) -> (A) -> (repeat each R) {
  { a in
    mapped([flatten(a)], [axis], out) { trees in function(unflatten(A.self, trees[0].1, trees[0].0)) }
  }
}

/// A function of two arguments and one result mapped over an axis of each argument.
public func vmap<A: Structured, B: Structured, R: Structured>(
  _ function: @escaping (A, B) -> R, over axes: (Int?, Int?) = (0, 0), out: Int = 0
) -> (A, B) -> R {
  { a, b in
    mapped([flatten(a), flatten(b)], [axes.0, axes.1], out) { trees in
      function(unflatten(A.self, trees[0].1, trees[0].0), unflatten(B.self, trees[1].1, trees[1].0))
    }
  }
}

/// `function` mapped over an axis of each of two arguments: `vmap(gradient(of: loss), over: (nil, 0))(model, batch)`.
public func vmap<A: Structured, B: Structured, each R: Structured>(
  _ function: @escaping (A, B) -> (repeat each R), over axes: (Int?, Int?) = (0, 0), out: Int = 0
) -> (A, B) -> (repeat each R) {
  { a, b in
    mapped([flatten(a), flatten(b)], [axes.0, axes.1], out) { trees in
      function(unflatten(A.self, trees[0].1, trees[0].0), unflatten(B.self, trees[1].1, trees[1].0))
    }
  }
}

/// `function` mapped over an axis of each of three arguments.
public func vmap<A: Structured, B: Structured, C: Structured, each R: Structured>(
  _ function: @escaping (A, B, C) -> (repeat each R), over axes: (Int?, Int?, Int?) = (0, 0, 0), out: Int = 0
) -> (A, B, C) -> (repeat each R) {
  { a, b, c in
    mapped([flatten(a), flatten(b), flatten(c)], [axes.0, axes.1, axes.2], out) { trees in
      function(
        unflatten(A.self, trees[0].1, trees[0].0), unflatten(B.self, trees[1].1, trees[1].0), unflatten(C.self, trees[2].1, trees[2].0))
    }
  }
}

private typealias Tree = (leaves: [Tensor], structure: TreeStructure)

private func mapped<each R: Structured>(
  _ arguments: [Tree], _ axes: [Int?], _ out: Int, _ function: ([([Tensor], TreeStructure)]) -> (repeat each R)
) -> (repeat each R) {
  var sizes: [Int] = []
  for (argument, axis) in zip(arguments, axes) {
    guard let axis else { continue }
    for leaf in argument.leaves {
      guard let a = leaf.shape.normalizedAxis(axis) else {
        trapAtCaller(ProgramError("vmap", "axis \(axis) is not an axis of \(leaf.type). Give nil for arguments that are not mapped."))
      }
      sizes.append(leaf.shape[a])
    }
  }
  guard let size = sizes.first else { trapAtCaller(ProgramError("vmap", "no argument is mapped: give at least one axis.")) }
  guard sizes.allSatisfy({ $0 == size }) else {
    trapAtCaller(ProgramError("vmap", "the mapped axes differ in length: \(sizes.map(String.init).joined(separator: ", "))."))
  }
  var structures: [TreeStructure] = []
  let operands = arguments.flatMap { $0.leaves.map(\.resolvedLiteral) }
  let flags = zip(arguments, axes).flatMap { argument, axis in argument.leaves.map { _ in axis } }
  let results = staged(operands) { inputs in
    let fronted = zip(inputs, flags).map { $1 == nil ? $0 : $0.movingAxis($1!, to: 0) }
    let types = zip(fronted, flags).map { $1 == nil ? $0.type : TensorType(Shape(Array($0.shape.dropFirst())), $0.elementType) }
    let (graph, captures) = MappedCopies.tracing(size) {
      traceGraph(types) { xs in
        var rest = xs[...]
        let trees = arguments.map { argument -> ([Tensor], TreeStructure) in
          defer { rest = rest.dropFirst(argument.leaves.count) }
          return (Array(rest.prefix(argument.leaves.count)), argument.structure)
        }
        let (leaves, s) = flattenAll(repeat each function(trees))
        structures = s
        return leaves
      }
    }
    let outputs = batch(
      graph, zip(fronted, flags).map { Mapped($0, isMapped: $1 != nil) } + captures.map { Mapped($0, isMapped: false) }, size)
    return outputs.map { output in
      let front = output.brought(size)
      return out == 0 ? front : front.movingAxis(0, to: out)
    }
  }
  return unflattenAll(structures, results)
}

/// Several structured values taken apart one after the other.
package func flattenAll<each R: Structured>(_ values: repeat each R) -> (leaves: [Tensor], structures: [TreeStructure]) {
  let taker = Arguments()
  repeat taker.take(each values)
  return (taker.leaves, taker.structures)
}

/// Several structured values put together again.
package func unflattenAll<each R: Structured>(_ structures: [TreeStructure], _ leaves: [Tensor]) -> (repeat each R) {
  let reader = ArgumentReader(structures, leaves)
  return (repeat reader.next((each R).self))
}
