import FluxionCore

/// An array that lies on the devices of a mesh, a shard on each.
final class MeshMemory: DeviceMemory {
  /// By device, in the mesh's order; nil on the devices of other processes.
  let shards: [PJRTBuffer?]
  let layout: Layout
  let type: TensorType
  /// The elements in the host's memory, once they have been asked for.
  private let host: Locked<HostBuffer?>

  init(_ shards: [PJRTBuffer?], _ layout: Layout, _ type: TensorType, host: HostBuffer? = nil) {
    (self.shards, self.layout, self.type) = (shards, layout, type)
    self.host = Locked(host)
  }

  /// Divides what the host has.
  convenience init(
    _ source: HostBuffer, _ type: TensorType, _ layout: Layout, _ client: PJRTClient, _ devices: [PJRTDevice]
  )
    throws(PJRTError)
  {
    let part = layout.shard(of: type)
    var shards: [PJRTBuffer?] = []
    for (i, device) in devices.enumerated() {
      guard device.index != nil else {
        shards.append(nil)
        continue
      }
      var own = source
      if !layout.isReplicated {
        own = HostBuffer(byteCount: part.byteCount)
        copyBlock(of: type, part.shape, at: layout.start(of: i, in: type.shape)) { whole, block, count in
          (own.pointer + block).copyMemory(from: source.pointer + whole, byteCount: count)
        }
      }
      shards.append(try PJRTBuffer(own, part, client: client, device: device))
    }
    self.init(shards, layout, type, host: source)
  }

  func hostCopy() throws(ExecutionError) -> HostBuffer {
    try host.withLock { (host) throws(ExecutionError) in
      if let host { return host }
      let part = layout.shard(of: type)
      let owners = layout.owners(among: shards.indices.filter { shards[$0] != nil })
      guard owners.count == layout.parts.reduce(1, *) else {
        throw .engine(
          "XLA: parts of \(type) lie on the devices of other processes. Have it put on the mesh as .replicated, or reduce it, before it is "
            + "read.")
      }
      let made = try HostBuffer(allocating: type.byteCount)
      do throws(PJRTError) {
        for device in owners {
          if layout.isReplicated {
            try shards[device]!.copy(to: made.pointer, byteCount: type.byteCount)
            continue
          }
          let own = HostBuffer(byteCount: part.byteCount)
          try shards[device]!.copy(to: own.pointer, byteCount: part.byteCount)
          copyBlock(of: type, part.shape, at: layout.start(of: device, in: type.shape)) { whole, block, count in
            (made.pointer + whole).copyMemory(from: own.pointer + block, byteCount: count)
          }
        }
      } catch {
        throw error.atExecution
      }
      host = made
      return made
    }
  }

  func wait() throws(ExecutionError) {
    do throws(PJRTError) { for shard in shards { try shard?.wait() } } catch { throw error.atExecution }
  }
}

/// Walks a block of an array row by row: places in bytes, in the whole array and in the block, and how many bytes lie together.
private func copyBlock(
  of type: TensorType, _ block: Shape, at start: [Int], _ copy: (_ whole: Int, _ block: Int, _ count: Int) -> Void
) {
  let size = type.elementType.byteCount
  guard block.elementCount > 0 else { return }
  guard let rowLength = block.dimensions.last else { return copy(0, 0, size) }
  var index = [Int](repeating: 0, count: block.rank - 1)
  for row in 0..<block.elementCount / rowLength {
    var place = 0
    for (axis, i) in index.enumerated() { place = place * type.shape[axis] + start[axis] + i }
    place = place * type.shape[block.rank - 1] + start[block.rank - 1]
    copy(place * size, row * rowLength * size, rowLength * size)
    for axis in index.indices.reversed() {
      index[axis] += 1
      if index[axis] < block[axis] { break }
      index[axis] = 0
    }
  }
}
