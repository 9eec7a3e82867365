/// What this build of Fluxion is.
public enum Release {
  /// The version, in the manner of semantic versioning.
  public static let version = "0.1.0"
}
