/// Where in the arena each buffer lies: buffers whose lives do not overlap share memory, and a result takes over the memory of an
/// operand that dies in the step that makes it, if that step can work in place.
///
/// The blocks of a band are at different steps at the same time, so what lives in a band lives all the time that it takes. But rows keep to
/// themselves: a buffer that is made in a band may lie where one of its size lay that died there, unless it is a sum over the rows.
struct ArenaLayout {
  /// Bytes from the start of the arena, multiples of 64; -1 for buffers that are not in it.
  private(set) var offsets: [Int]
  private(set) var byteCount = 0

  init(_ steps: [Step], order: [Int], bands: [Band] = [], _ buffers: [Buffer]) {
    offsets = [Int](repeating: -1, count: buffers.count)
    var first = [Int](repeating: -1, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (time, s) in order.enumerated() {
      for b in steps[s].writes + steps[s].temporaries where buffers[b].isArena {
        if first[b] < 0 { first[b] = time }
        last[b] = Swift.max(last[b], time)
      }
      for b in steps[s].reads + steps[s].held where buffers[b].isArena { last[b] = Swift.max(last[b], time) }
    }

    var bandAt = [Range<Int>?](repeating: nil, count: order.count)
    var folds = [Bool](repeating: false, count: order.count)
    for band in bands {
      for time in band.members { bandAt[time] = band.members }
      for time in band.folds { folds[time] = true }
    }

    // Chains of buffers that succeed each other in place; each chain is one piece of memory.
    var head = Array(buffers.indices)
    var idle: [Int: [Int]] = [:]  // heads of chains of the present band that came to their end, by size
    for (time, s) in order.enumerated() {
      var used: [Int] = []
      for (output, input) in steps[s].inPlace
      where buffers[output].isArena && buffers[input].isArena && first[output] == time && last[input] == time
        && head[output] == output && !used.contains(input) && first[input] < time
      {
        used.append(input)
        let h = head[input]
        head[output] = h
        last[h] = Swift.max(last[h], last[output])
      }
      guard let band = bandAt[time], !folds[time] else { continue }
      if time == band.lowerBound { idle = [:] }
      let made = steps[s].writes + steps[s].temporaries
      for b in made where buffers[b].isArena && first[b] == time && head[b] == b {
        guard let h = idle[buffers[b].byteCount]?.popLast() else { continue }
        head[b] = h
        last[h] = Swift.max(last[h], last[b])
      }
      for h in Set((made + steps[s].reads).map { head[$0] }).sorted()
      where buffers[h].isArena && last[h] == time && first[h] >= band.lowerBound { idle[buffers[h].byteCount, default: []].append(h) }
    }
    struct Piece {
      var buffer: Int, size: Int, first: Int, last: Int
    }
    var pieces: [Piece] = []
    for b in buffers.indices where buffers[b].isArena && first[b] >= 0 && head[b] == b {
      let (from, to) = (bandAt[first[b]]?.lowerBound ?? first[b], bandAt[last[b]].map { $0.upperBound - 1 } ?? last[b])
      pieces.append(Piece(buffer: b, size: (Swift.max(buffers[b].byteCount, 1) + 63) & ~63, first: from, last: to))
    }
    // Large ones choose first: what is left over between them serves the small.
    pieces.sort { $0.size != $1.size ? $0.size > $1.size : $0.first < $1.first }
    // Placed pieces by offset.
    var placed: [(offset: Int, piece: Piece)] = []
    for piece in pieces {
      var offset = 0
      var best = -1
      var bestGap = Int.max
      for other in placed where other.piece.first <= piece.last && piece.first <= other.piece.last {
        let gap = other.offset - offset
        if gap >= piece.size && gap < bestGap { (best, bestGap) = (offset, gap) }
        offset = Swift.max(offset, other.offset + other.piece.size)
      }
      let place = best >= 0 ? best : offset
      offsets[piece.buffer] = place
      byteCount = Swift.max(byteCount, place + piece.size)
      var (low, high) = (0, placed.count)
      while low < high {
        let middle = (low + high) / 2
        if placed[middle].offset < place { low = middle + 1 } else { high = middle }
      }
      placed.insert((place, piece), at: low)
    }
    for b in buffers.indices where buffers[b].isArena && first[b] >= 0 { offsets[b] = offsets[head[b]] }
  }
}
