import ArgumentParser
import FluxionCore
import FluxionReport
import FluxionXLA

/// `fluxion devices`
struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "List the devices that --device names, and say how to get one.")

  @Option(help: "The PJRT plugin whose devices are listed; else the one found.", completion: .file())
  var plugin: String?

  @Flag(help: "Print JSON.")
  var json = false

  private struct Entry: Encodable {
    var name: String, what: String
    var plugin: String? = nil
  }

  func run() throws {
    var entries: [Entry] = []
    if Device.default.engine.name == "cpu" {
      entries.append(Entry(name: "cpu", what: "this machine's processor, with Fluxion's own kernels; the default"))
    }
    entries.append(Entry(name: "reference", what: "the plain interpreter that the others are judged by; slow"))
    var note: String?
    do throws(PJRTError) {
      let found = try Device.xlaDevices(plugin: plugin)
      for (index, kind) in found.kinds.enumerated() {
        entries.append(Entry(name: "xla:\(index)", what: "\(kind) (\(found.platform)), through XLA", plugin: found.path))
      }
      if found.kinds.count > 1 {
        entries.append(Entry(name: "xla:all", what: "all of them: fluxion run divides batches between them", plugin: found.path))
      }
    } catch .noPlugin where plugin == nil {
      // Nothing was asked for and nothing is wrong.
      note = "There is no GPU or TPU here: no PJRT plugin was found. \(PluginSearch.advice)"
    } catch .noHardware(let path, let reason) where plugin == nil && !PluginSearch().isNamed {
      // A package that came with others, perhaps.
      note = "\(path) is not used: \(reason)."
    } catch {
      throw Failure("fluxion devices", error.description, exitCode: 2)
    }
    if json {
      JSONOutput.print(entries)
      return
    }
    var table = ReportTable([.init("device"), .init("what it is"), .init("plugin")])
    for entry in entries { table.addRow([.text(entry.name), .text(entry.what), .text(entry.plugin ?? "")]) }
    print(table.text(usesColour: Terminal.usesColour), terminator: "")
    if let note { print("\n\(note)") }
  }
}
