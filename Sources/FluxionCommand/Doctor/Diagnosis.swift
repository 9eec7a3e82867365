import CFluxionKernels
import FluxionCore
import FluxionExperiment
import FluxionXLA
import Foundation

/// What this machine and this build offer, for `doctor`.
struct Diagnosis: Encodable {
  /// One finding: what was looked at, what was found, and, when something is amiss, what to do.
  struct Finding: Encodable {
    var section: String, name: String, value: String
    var advice: String?
  }
  /// The rate of one product of matrices, f32, on one thread.
  struct Rate: Encodable {
    var size: String
    /// 10⁹ operations a second; nil without a library.
    var library: Double?
    var own: Double
  }

  var findings: [Finding] = []
  var rates: [Rate] = []

  /// Looks at everything; takes well under a second.
  init() {
    lookAtBuild()
    lookAtProcessor()
    lookAtLibraries()
    measure()
    lookAtOptionalParts()
  }

  private mutating func add(_ section: String, _ name: String, _ value: String, advice: String? = nil) {
    findings.append(Finding(section: section, name: name, value: value, advice: advice))
  }

  private mutating func lookAtBuild() {
    add("Fluxion", "version", Release.version)
    let engine = Device.default.engine.name
    add(
      "Fluxion", "default device", engine,
      advice: engine == "reference" ? "the slow reference interpreter; link FluxionCPU for the fast engine" : nil)
    #if DEBUG
      add("Fluxion", "configuration", "debug", advice: "build with -c release for speed")
    #else
      add("Fluxion", "configuration", "release")
    #endif
  }

  private mutating func lookAtProcessor() {
    let cpu = fx_cpu()
    add("Processor", "model", Self.text(cpu.brand))
    let best = cpu.isa_available > cpu.isa_in_use
    add(
      "Processor", "vector kernels", "\(Self.text(cpu.isa)), \(cpu.vector_bytes * 8) bits",
      advice: best ? "the processor offers wider vectors; FLUXION_ISA holds them back" : nil)
    add("Processor", "logical cores", "\(cpu.cores)")
    add("Processor", "threads in use", "\(cpu.threads)", advice: cpu.threads > cpu.cores ? "more threads than cores; see FLUXION_THREADS" : nil)
    add("Processor", "memory", Self.bytes(ProcessInfo.processInfo.physicalMemory))
  }

  private mutating func lookAtLibraries() {
    let blas = fx_blas_status()
    let path = Self.text(blas.path)
    guard blas.loaded else {
      add("BLAS", "library", "none: \(path)", advice: "Fluxion's own kernels are used; install libopenblas0 for the library's")
      return
    }
    add("BLAS", "library", path)
    let core = Self.text(blas.core), asked = Self.text(blas.requested_core)
    add("BLAS", "its kernels", core.isEmpty ? "it does not tell" : core)
    if !asked.isEmpty {
      let ignored = !core.isEmpty && core.lowercased() != asked.lowercased()
      add("BLAS", "kernels asked for", asked, advice: ignored ? "the library took others; unset OPENBLAS_CORETYPE, or update it" : nil)
    }
    let config = Self.text(blas.config)
    if !config.isEmpty { add("BLAS", "build", config) }
    add("BLAS", "LAPACK", blas.has_lapack ? "yes" : "no", advice: blas.has_lapack ? nil : "decompositions use Fluxion's own routines")
  }

  private mutating func measure() {
    let hasLibrary = fx_blas_status().loaded
    for (m, n, k) in [(256, 64, 64), (256, 128, 128), (1024, 256, 256), (256, 64, 3)] as [(Int64, Int64, Int64)] {
      rates.append(
        Rate(
          size: "\(m) × \(n) × \(k)", library: hasLibrary ? fx_measure_gemm(m, n, k, false) : nil, own: fx_measure_gemm(m, n, k, true)))
    }
    // The library that takes the processor for another is several times slower than the kernels beside it, in silence.
    if let large = rates.first(where: { $0.size.hasPrefix("1024") }), let library = large.library, library < large.own / 2 {
      add(
        "BLAS", "rate", "a fraction of Fluxion's own",
        advice: "the library does not know this processor; set OPENBLAS_CORETYPE, update it, or set FLUXION_BLAS=none")
    }
  }

  private mutating func lookAtOptionalParts() {
    add("Optional", "XLA (PJRT plugin)", (try? PluginSearch().find()) ?? "none found")
    add("Optional", "terminal", "\(Terminal.canRedraw ? "progress bar" : "plain lines")\(Terminal.usesColour ? ", colour" : "")")
  }

  // MARK: Text

  private static func bytes(_ count: UInt64) -> String {
    let gibibytes = Double(count) / Double(1 << 30)
    return "\((gibibytes * 10).rounded() / 10) GiB"
  }

  /// The text in a C array of characters.
  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
