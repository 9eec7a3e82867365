extension TickSet {
  /// Ticks of a logarithmic axis.
  ///
  /// Over several decades, powers of ten carry labels (every second or third one if there are many) and the multiples
  /// 2…9 are minor ticks. Over one or two decades 2 and 5 are labelled too where there is room, and below one decade
  /// the ticks are those of a linear axis.
  static func logarithmic(_ domain: Domain, target: Int) -> TickSet {
    let first = Int((logarithm(domain.lower) - 1e-9).rounded(.up))
    let last = Int((logarithm(domain.upper) + 1e-9).rounded(.down))
    if domain.span < 0.9 || last < first {
      let plain = linear(Domain(lower: domain.lower, upper: domain.upper, scale: .linear), target: target)
      return TickSet(ticks: plain.ticks.filter { $0.value > 0 }, exponent: plain.exponent)
    }

    let labelsMultiples = domain.span < 2.5 && domain.span * 3 < Double(target) * 1.3
    let stride = max((last - first + target) / max(target, 1), 1)
    let spansFew = stride == 1 && domain.span <= 8
    var values: [(multiple: Int, power: Int, isMajor: Bool)] = []
    for power in (first - 1)...last {
      // Labels stand at the multiples of the stride, so that 10⁰ is among them when it is in view.
      let isMajor = ((power % stride) + stride) % stride == 0
      values.append((1, power, isMajor))
      guard spansFew else { continue }
      for multiple in 2...9 {
        values.append((multiple, power, labelsMultiples && (multiple == 2 || multiple == 5)))
      }
    }
    let visible = values.filter { domain.contains(Tick.value($0.multiple, power: $0.power)) }
    let isPlain = visible.allSatisfy { !$0.isMajor || (-2...3).contains($0.power) }
    return TickSet(
      ticks: visible.map { tick in
        let value = Tick.value(tick.multiple, power: tick.power)
        guard tick.isMajor else { return Tick(value: value) }
        if isPlain { return Tick(value: value, label: NumberFormat.shortest.typographic(value)) }
        let factor = tick.multiple == 1 ? [] : [RichText.Run.plain("\(tick.multiple)·")]
        return Tick(value: value, label: RichText(factor) + .powerOfTen(tick.power))
      })
  }
}

extension Tick {
  fileprivate init(value: Double) {
    self.init(value: value, label: nil)
  }

  /// `multiple × 10^power`, correctly rounded.
  fileprivate static func value(_ multiple: Int, power: Int) -> Double {
    power < 0 ? Double(multiple) / powerOfTen(-power) : Double(multiple) * powerOfTen(power)
  }
}
