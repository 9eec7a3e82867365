import FluxionTestSupport
import Foundation
import Testing

@Suite("Bad input")
struct BadInputTests {
  /// What is typed, and what the one line must say.
  static let cases: [([String], String)] = [
    (["rnu"], "fluxion: there is no command \"rnu\". Did you mean \"run\"?"),
    (["frobnicate"], "The commands are list, show, run"),
    (["run"], "fluxion run: Missing expected argument '<system>'."),
    (["run", "toy-men"], "there is no system \"toy-men\". Did you mean \"toy-mean\"?"),
    (["show", "zzz"], "See fluxion list."),
    (["cite", "toymean"], "Did you mean \"toy-mean\"?"),
    (["run", "toy-mean", "--sed", "3"], "Did you mean '--seed'?"),
    (["run", "toy-mean", "--seed", "x"], "The value 'x' is invalid for '--seed <seed>'"),
    (["run", "toy-mean", "extra"], "extra"),
    (["run", "toy-mean", "--set", "learning_rat=3"], "Did you mean \"learningRate\"?"),
    (["run", "toy-mean", "--set", "learningRate=-1"], "Give a number above 0."),
    (["run", "toy-mean", "--set", "flavour=salt"], "Give one of plain, vanilla."),
    (["run", "toy-mean", "--set", "steps"], "a setting is written name=value"),
    (["run", "toy-mean", "--device", "cup"], "Did you mean \"cpu\"?"),
    (["run", "toy-mean", "--device", "xla:/nowhere/p.so"], "the plugin /nowhere/p.so cannot be loaded"),
    (["run", "toy-mean", "--device", "xla:"], "nothing stands after the colon"),
    (["run", "toy-mean", "--hosts", "a,b"], "--hosts: only XLA's devices compute together. Add --device xla."),
    (["run", "toy-mean", "--hosts", "a,b", "--device", "cpu"], "only XLA's devices compute together"),
    (["run", "toy-mean", "--hosts", "a,b", "--device", "xla:1"], "--device xla:1 is one device of each host. Write --device xla for all"),
    (["run", "toy-mean", "--hosts", "a,,b", "--device", "xla"], "--hosts a,,b: a name is missing"),
    (["run", "toy-mean", "--hosts", "", "--device", "xla"], "a name is missing"),
    (["run", "toy-mean", "--hosts", "a,-oProxyCommand=x", "--device", "xla"], "\"-oProxyCommand=x\" is no name of a host"),
    (["run", "toy-mean", "--hosts", "a", "--device", "xla", "--set", "steps=0"], "steps"),
    (["run", "toy-mean", "--hosts", "localhost,localhost", "--device", "xla:/nowhere/p.so"], "the plugin /nowhere/p.so cannot be loaded"),
    (["devices", "--plugin", "/nowhere/p.so"], "fluxion devices: XLA: the plugin /nowhere/p.so cannot be loaded"),
    (["run", "toy-mean", "--missing", "dorp"], "Did you mean \"drop\"?"),
    (["run", "toy-mean", "--checkpoint-every", "-1"], "checkpoint-every"),
    (["run", "toy-mean", "--config", "none.json"], "none.json: the file cannot be read: No such file"),
    (["run", "toy-mean", "--config", "bad.json"], "bad.json, line 1: this is not JSON"),
    (["run", "toy-mean", "--config", "unknown.json"], "unknown.json, \"stepz\": there is no setting \"stepz\". Did you mean \"steps\"?"),
    (["run", "toy-mean", "--config", "other.json"], "other.json: these are the settings of other-system, not of toy-mean."),
    (["run", "toy-mean", "--data", "none.csv"], "none.csv: there is no such file"),
    (
      ["run", "toy-mean", "--data", "nan.csv"],
      "fluxion run toy-mean: nan.csv, row 3, column \"y\": \"nan\" is not a finite number. Remove the row, or pass --missing drop."
    ),
    (["run", "toy-mean", "--data", "ragged.csv"], "ragged.csv, row 3"),
    (["run", "toy-mean", "--data", "short.csv"], "at least 2"),
    (["run", "toy-mean", "--data", "cut.npy"], "cut.npy"),
    (["run", "toy-mean", "--data", "good.csv", "--set", "source=narrow.csv"], "points of 1 columns, but good.csv has 2"),
    (["run", "toy-mean", "--out", "."], "the folder is not empty"),
    (["run", "toy-mean", "--resume"], "there is no unfinished run of toy-mean in runs"),
    (["run", "toy-mean", "--resume", "--out", "."], "there is no run in this folder to resume"),
    (["verify"], "give the name of a system, or --all"),
    (["verify", "toy-mean", "--all"], "not both"),
    (["verify", "--all", "--out", "x"], "Leave out --out"),
    (["verify", "toy-mean", "--seeds", "1,b"], "whole numbers separated by commas"),
    (["verify", "toy-mean", "--out", "."], "the folder is not empty"),
    (["bench", "--only", "cg,sinkhron"], "fluxion bench: there is no work \"sinkhron\". Did you mean \"sinkhorn\"?"),
    (["bench", "--only", "matmul"], "Known are flow_matching, "),
    (["bench", "--seconds=-1"], "--seconds -1.0 must be finite and not negative."),
    (["bench", "--once", "eager"], "--once needs one work, but \"eager\" is eager-dispatch-add16, "),
    (["completions", "zhs"], "Did you mean \"zsh\"?"),
  ]

  @Test("one line, exit code 2, nothing written", arguments: cases)
  func refusal(arguments: [String], message: String) throws {
    let tool = try Tool("FluxionToyCommand")
    try tool.write("bad.json", "{")
    try tool.write("unknown.json", #"{"stepz": 3}"#)
    try tool.write("other.json", #"{"system": "other-system", "configuration": {}}"#)
    try tool.write("nan.csv", "x,y\n1,2\n3,nan\n4,5\n")
    try tool.write("ragged.csv", "x,y\n1,2\n3\n4,5\n")
    try tool.write("short.csv", "x,y\n1,2\n")
    try tool.write("good.csv", "x,y\n1,2\n3,4\n")
    try tool.write("narrow.csv", "x\n1\n2\n")
    try tool.write("cut.npy", "\u{93}NUMPY")
    let before = try FileManager.default.contentsOfDirectory(atPath: tool.folder).sorted()
    let outcome = try tool.start(arguments).wait()
    #expect(outcome.code == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.lines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("fluxion"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.folder).sorted() == before)
  }
}
