// Points on spheres, in balls, and random rotations.

extension Key {
  /// Points spread evenly over the unit sphere: normal vectors divided by their length.
  ///
  /// - Parameters:
  ///   - shape: `[…, dimension]`; each vector along the last axis has length 1.
  ///   - elementType: `f32` or `f64`.
  public func sphere(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    guard let dimension = shape.last, dimension > 0 else {
      return reject1("sphere", "shape \(shape) has no last axis for the coordinates.", like: TensorType(shape, elementType))
    }
    let x = normal(shape, as: elementType)
    return x / x.norm(alongAxes: [-1], keepingAxes: true)
  }

  /// Points spread evenly over the unit ball: a direction times u^(1/d).
  ///
  /// - Parameters:
  ///   - shape: `[…, d]`.
  ///   - elementType: `f32` or `f64`.
  public func ball(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    let (k1, k2) = split()
    let direction = k1.sphere(shape, as: elementType)
    guard let dimension = shape.last, dimension > 0 else { return direction }
    let radii = Shape(Array(shape.dropLast())) + [1]
    let u = k2.uniform(radii, as: elementType)
    return direction * pow(u, Tensor(1 / Double(dimension), as: elementType))
  }

  /// A random matrix with orthonormal columns, spread evenly (by Haar's measure): the factor Q of a normal matrix Z = QR whose R has a
  /// positive diagonal.
  ///
  /// The columns are orthogonalised one after another against all before them, twice, which keeps ‖QᵀQ - 1‖ at the rounding error.
  /// O(rows · columns²).
  ///
  /// - Parameters:
  ///   - rows: at least `columns`.
  ///   - columns: as many as rows unless told.
  ///   - elementType: `f32` or `f64`.
  /// - Note: Sources: F. Mezzadri. "How to generate random matrices from the classical compact groups." *Notices AMS* 54(5), 2007;
  ///   L. Giraud, J. Langou, M. Rozložník. "The loss of orthogonality in the Gram–Schmidt process." *Comput. Math. Appl.* 50, 2005.
  public func orthogonal(_ rows: Int, columns: Int? = nil, as elementType: ElementType = .float32) -> Tensor {
    let columns = columns ?? rows
    guard rows >= columns, columns >= 0 else {
      return reject1(
        "orthogonal", "\(columns) orthonormal columns do not fit into \(rows) dimensions. Transpose the result instead.",
        like: TensorType([rows, columns], elementType))
    }
    let z = normal([rows, columns], as: elementType)
    let zero = Tensor(Int32(0))
    // Rows of the carry are the columns found so far; the rest are 0 and take nothing away.
    let found = scan(over: OrderedColumn(place: arange(columns), column: z.T), from: Tensor.zeros([columns, rows], as: z.elementType)) {
      q, next in
      var v = next.column
      v -= q.dot(v).dot(q)
      v -= q.dot(v).dot(q)
      let unit = v / v.norm()
      return q.replacingWindow(at: [next.place, zero], with: unit.expanded(at: 0))
    }
    return found.T
  }
}

/// A column with its place.
private struct OrderedColumn: Codable {
  var place: Tensor
  var column: Tensor
}
