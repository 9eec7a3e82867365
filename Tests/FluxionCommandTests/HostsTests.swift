@testable import FluxionCommand
import FluxionTestSupport
import Foundation
import Testing

@Suite("Hosts")
struct HostsTests {
  @Test("devices of XLA's by name", arguments: [
    ("xla", DeviceChoice.Plugin()), ("xla:2", DeviceChoice.Plugin(place: .index(2))), ("xla:all", DeviceChoice.Plugin(place: .all)),
    ("xla:/p.so", DeviceChoice.Plugin(path: "/p.so")), ("xla:/p.so:1", DeviceChoice.Plugin(path: "/p.so", place: .index(1))),
    ("xla:/p.so:all", DeviceChoice.Plugin(path: "/p.so", place: .all)), ("xla:/a:b/p.so", DeviceChoice.Plugin(path: "/a:b/p.so")),
  ]) func devices(name: String, plugin: DeviceChoice.Plugin) throws {
    #expect(try DeviceChoice.plugin(name) == plugin)
  }

  @Test("names that are no device of XLA's", arguments: ["cpu", "reference", "xlaa"]) func others(name: String) throws {
    #expect(try DeviceChoice.plugin(name) == nil && DeviceChoice.job(name) == nil)
  }

  @Test("what stands in a list of hosts") func list() throws {
    #expect(try HostList("a, me@b ,localhost").names == ["a", "me@b", "localhost"])
    #expect(HostList.isHere("localhost", thisHost: "node1.lab") && HostList.isHere("node1", thisHost: "node1.lab"))
    #expect(!HostList.isHere("node2", thisHost: "node1.lab") && !HostList.isHere("me@node1", thisHost: "node1.lab"))
  }

  @Test("process 0 is found where all can reach it", arguments: [
    ("localhost,node1", "127.0.0.1:5"), ("localhost,node2", "node1.lab:5"), ("node1,node2", "node1.lab:5"),
    ("me@node2,localhost", "node2:7"), ("big,localhost", "10.0.0.9:7"),
  ]) func coordinator(hosts: String, address: String) throws {
    let list = try HostList(hosts)
    #expect(list.coordinator(thisHost: "node1.lab", freePort: 5, randomPort: 7) { ["big": "10.0.0.9"][$0] } == address)
  }

  @Test("a process here is a child, and one elsewhere a command of ssh's") func commands() {
    func command(_ host: String, quiet: Bool = false) -> HostCommand {
      HostCommand(
        host, program: "/bin/fluxion", arguments: ["run", "it's"], job: ["FLUXION_RANK": "1"], ssh: "/usr/bin/ssh", folder: "/a b",
        inherited: ["FLUXION_RANK": "7", "FLUXION_PJRT_PLUGIN": "/p.so", "HOME": "/home/me", "NCCL_DEBUG": "INFO"], isQuiet: quiet,
        thisHost: "here")
    }
    let own = command("localhost")
    #expect(own.program == "/bin/fluxion" && own.arguments == ["run", "it's"] && own.environment == ["FLUXION_RANK": "1"])
    let far = command("far")
    #expect(far.program == "/usr/bin/ssh" && far.environment.isEmpty)
    let script = #"cd '/a b' && env 'FLUXION_PJRT_PLUGIN=/p.so' 'FLUXION_RANK=1' 'NCCL_DEBUG=INFO' '/bin/fluxion' 'run' 'it'\''s'; exit $?"#
    #expect(Array(far.arguments.suffix(2)) == ["far", "exec sh -c " + HostCommand.quoted(script)])
    #expect(far.arguments.contains("BatchMode=yes"))
    #expect(!far.arguments.contains("-q") && command("far", quiet: true).arguments.contains("-q"))
  }

  @Test("the processes are started as this one was, on all devices and without the hosts") func arguments() {
    let typed = ["run", "--hosts", "a,b", "x", "--hosts=c", "--device", "xla", "--seed", "3", "--device=xla"]
    #expect(RunCommand.started(typed, device: "xla:all") == ["run", "--device", "xla:all", "x", "--seed", "3"])
  }

  /// A command called ssh that runs on this machine what it is asked to.
  private func tool(ssh script: String) throws -> (Tool, path: String) {
    let tool = try Tool("FluxionToyCommand")
    try FileManager.default.createDirectory(atPath: tool.folder + "/bin", withIntermediateDirectories: true)
    try tool.write("bin/ssh", "#!/bin/sh\n" + script)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool.folder + "/bin/ssh")
    return (tool, tool.folder + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? ""))
  }

  @Test("a host that cannot be reached is named, whichever it is", arguments: ["nowhere,waiting", "waiting,nowhere"])
  func unreachable(hosts: String) throws {
    // One that waits closes all that it has inherited, as ssh does: its end is not to be waited for.
    let (tool, path) = try tool(
      ssh: """
        case "$*" in
        *' waiting '*) exec bash -c 'for fd in /dev/fd/*; do fd=${fd##*/}; [ $fd -le 2 ] || eval "exec $fd>&-"; done; exec sleep 60';;
        esac
        sleep 0.3
        case "$*" in
        *-q*) ;;
        *) echo ssh: no such host >&2;;
        esac
        exit 255
        """)
    let start = ContinuousClock.now
    let outcome = try tool.run("run", "toy-mean", "--hosts", hosts, "--device", "xla", environment: ["PATH": path])
    #expect(outcome.code == 2 && outcome.output.isEmpty && outcome.lines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("fluxion run toy-mean: --hosts: nowhere cannot be reached through ssh"), "\(outcome.errors)")
    #expect(ContinuousClock.now - start < .seconds(30))
    #expect(!tool.exists("runs"))
  }

  @Test("a process on another host that a signal ends is told from a host that is not there", arguments: [0, 1])
  func killedElsewhere(rank: Int) throws {
    // As the shell says there that ends the script.
    let (tool, path) = try tool(ssh: "case \"$*\" in *FLUXION_RANK=\(rank)*) sleep 0.3; exit 137;; esac; exec sleep 60")
    let outcome = try tool.run(
      "run", "toy-mean", "--hosts", "far,farther", "--device", "xla",
      environment: ["PATH": path, "FLUXION_COORDINATOR": "127.0.0.1:61397"])
    #expect(outcome.code == 1 && outcome.lines.count == 1, "\(outcome.errors)")
    let line = "fluxion run toy-mean: process \(rank) on \(["far", "farther"][rank]) was ended by signal 9."
    #expect(outcome.errors.hasPrefix(line), "\(outcome.errors)")
  }

  @Test("process 0 is found by the name that ssh's configuration says") func configured() throws {
    let (tool, path) = try tool(
      ssh: "for last; do :; done; [ \"$1\" != -G ] || { echo user me; echo hostname 10.9.8.7; exit 0; }; echo \"$last\" >> called; exit 255")
    let outcome = try tool.run("run", "toy-mean", "--hosts", "big,small", "--device", "xla", environment: ["PATH": path])
    #expect(outcome.code == 2)
    #expect(String(decoding: try tool.content("called"), as: UTF8.self).contains("'FLUXION_COORDINATOR=10.9.8.7:"))
  }

  @Test("processes on other hosts are told who they are, in this folder") func elsewhere() throws {
    let (tool, path) = try tool(ssh: "for last; do :; done; echo \"$last\" >> called; exec sh -c \"$last\"")
    let outcome = try tool.run(
      "run", "toy-mean", "--hosts", "far,farther", "--device", "xla:/nowhere/p.so",
      environment: ["PATH": path, "FLUXION_COORDINATOR": "127.0.0.1:61397"])
    #expect(outcome.code == 2 && outcome.lines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("the plugin /nowhere/p.so cannot be loaded"), "\(outcome.errors)")
    let called = String(decoding: try tool.content("called"), as: UTF8.self)
    for rank in 0..<2 { #expect(called.contains("FLUXION_RANK=\(rank)'"), "\(called)") }
    #expect(called.contains("FLUXION_PROCESSES=2'"))
    #expect(!called.contains("--hosts"))
  }

  @Test("a process of a job starts no others") func within() throws {
    let tool = try Tool("FluxionToyCommand")
    let outcome = try tool.run(
      "run", "toy-mean", "--hosts", "localhost", "--device", "xla",
      environment: ["FLUXION_RANK": "0", "FLUXION_PROCESSES": "2", "FLUXION_COORDINATOR": "a:5"])
    #expect(outcome.code == 2 && outcome.lines.count == 1 && outcome.errors.contains("one of a job already"), "\(outcome.errors)")
  }
}
