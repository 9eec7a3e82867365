public import FluxionCore

/// A number that changes with the step: a function of the integer count t of steps taken, 0 at the first.
///
/// Schedules are part of the program and are evaluated inside it, so a loop of many steps compiles once. Where one is expected a plain
/// number or a tensor may stand as well.
public struct Schedule: Codable, Sendable {
  indirect enum Kind: Codable, Sendable {
    case constant(Double)
    case tensor(Tensor)
    case polynomial(from: Double, to: Double, power: Double, steps: Int, begin: Int)
    case exponential(from: Double, rate: Double, steps: Int, staircase: Bool, begin: Int, end: Double?)
    case cosine(from: Double, steps: Int, floor: Double, power: Double)
    case piecewise(from: Double, boundaries: [Int], factors: [Double])
    case joined(Schedule, steps: Int, Schedule)
  }
  let kind: Kind

  /// The value at count `t`, a scalar `i32`, as a scalar of `elementType`.
  public func callAsFunction(_ t: Tensor, as elementType: ElementType = .float32) -> Tensor {
    let x = t.converted(to: elementType)
    func number(_ value: Double) -> Tensor { Tensor(value, as: elementType) }
    switch kind {
    case let .constant(value): return number(value)
    case let .tensor(value): return value.converted(to: elementType)
    case let .polynomial(a, b, power, steps, begin):
      let passed = clamp(x - Double(begin), number(0), number(Double(steps))) / Double(steps)
      let left = 1 - passed
      return (a - b) * (power == 1 ? left : pow(left, number(power))) + b
    case let .exponential(a, rate, steps, staircase, begin, end):
      let exponent = maximum(x - Double(begin), number(0)) / Double(steps)
      let value = a * exp((staircase ? floor(exponent) : exponent) * logarithm(rate))
      guard let end else { return value }
      return rate < 1 ? maximum(value, number(end)) : minimum(value, number(end))
    case let .cosine(a, steps, floor, power):
      let phase = minimum(x, number(Double(steps))) * (Double.pi / Double(steps))
      let wave = (cos(phase) + 1) * 0.5
      return a * ((1 - floor) * (power == 1 ? wave : pow(wave, number(power))) + floor)
    case let .piecewise(a, boundaries, factors):
      var value = number(a)
      for (boundary, factor) in zip(boundaries, factors) {
        value *= select(t .>= Tensor(Int32(boundary)), number(factor), number(1))
      }
      return value
    case let .joined(first, steps, second):
      let boundary = Tensor(Int32(steps))
      let later = second(maximum(t - boundary, Tensor(Int32(0))), as: elementType)
      return select(t .< boundary, first(t, as: elementType), later)
    }
  }
}

/// What can stand for a schedule: a number, a tensor, or a schedule.
public protocol ScheduleConvertible {
  var schedule: Schedule { get }
}
extension Schedule: ScheduleConvertible { public var schedule: Schedule { self } }
extension Double: ScheduleConvertible { public var schedule: Schedule { Schedule(kind: .constant(self)) } }
extension Int: ScheduleConvertible { public var schedule: Schedule { Schedule(kind: .constant(Double(self))) } }
/// A number held as a scalar tensor: it can be changed between calls without compiling again, and differentiated.
extension Tensor: ScheduleConvertible { public var schedule: Schedule { Schedule(kind: .tensor(self)) } }
