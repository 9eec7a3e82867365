import Fluxion

/// What errors look like: a program that cannot mean anything, a number that is none, a file with a hole.
public enum WhenItGoesWrong {
  /// `WhenItGoesWrong.swift:8: dot: the contracted axes differ: left [256, 3] axis 1 has 3, right [2, 128] axis 0 has 2.`
  public static func misfit() -> String {
    do throws(ProgramError) {
      _ = try trace({ (x: Tensor) in x.dot(Tensor.zeros([2, 128])) }, like: Tensor.zeros([256, 3]))
      return ""
    } catch { return error.description }
  }

  /// Names the operation and the line that first made a NaN.
  public static func notANumber() -> String {
    let program = compiled { (x: Tensor) -> Tensor in log(x - 1).sum() }
    do throws(ExecutionError) {
      _ = try findingNaNs { () throws(ExecutionError) in try program.attempt([0.5, 2.0]) }
      return ""
    } catch { return error.description }
  }

  /// Names file, row and column.
  public static func hole(in path: String) -> String {
    do {
      _ = try PointCloud.load(path)
      return ""
    } catch { return "\(error)" }
  }
}
