import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Compiled programs on disk, for the next process that wants them.
///
/// A program is known by its text, the compile options with the flags that the environment has for the compiler, the devices' kinds, and
/// the plugin: its file, and all it says of its version. The file's name is a hash of these; the file begins with the things themselves,
/// which are compared, and with a hash of the rest, so that neither a collision nor a spoilt file can give another program.
/// Only what took long to compile is kept, and the files not used for longest go first when there are too many bytes.
package struct CompileCache: Sendable {
  package let folder: String
  /// Programs that compile faster than this, in seconds, are compiled again.
  package var threshold = 0.5
  /// The most bytes the folder may hold.
  package var byteLimit = 2 << 30

  package init(folder: String) { self.folder = folder }

  /// `$FLUXION_XLA_CACHE`, else `fluxion/xla` in the user's cache; nil when the variable is `off` or there is no home.
  package static var standard: CompileCache? {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    if let chosen = variable("FLUXION_XLA_CACHE") { return chosen == "off" ? nil : CompileCache(folder: chosen) }
    if let cache = variable("XDG_CACHE_HOME") { return CompileCache(folder: cache + "/fluxion/xla") }
    return variable("HOME").map { CompileCache(folder: $0 + "/.cache/fluxion/xla") }
  }

  /// The program from the cache, else compiled and, if that took long, kept. A cache that cannot be read or written is no failure: the
  /// program is compiled.
  package func executable(_ text: String, options: CompileOptions, client: PJRTClient) throws(PJRTError) -> PJRTExecutable {
    let key = Key(text, options, client)
    let path = "\(folder)/\(key.name)"
    if let content = Self.read(path, after: key.bytes), let bytes = Self.checked(content) {
      utimensat(AT_FDCWD, path, nil, 0)
      // What another version of the runtime wrote under the same name is refused by the plugin: compile it anew.
      if let known = try? PJRTExecutable(serialized: bytes, options: options, client: client) { return known }
    }
    let clock = ContinuousClock()
    let start = clock.now
    let made = try PJRTExecutable(text, options: options, client: client)
    if clock.now - start >= .seconds(threshold), let bytes = try made.serialized() {
      write(key.bytes + Self.littleEndian(Self.hash(bytes[...])) + bytes, to: path)
    }
    return made
  }

  /// What a program is known by.
  private struct Key {
    /// Lengths and contents, one after another.
    let bytes: [UInt8]
    /// Two independent 64-bit hashes (Fowler, Noll and Vo's 1a) in hexadecimal.
    let name: String

    init(_ text: String, _ options: CompileOptions, _ client: PJRTClient) {
      func variable(_ name: String) -> [UInt8] { getenv(name).map { Array(String(cString: $0).utf8) } ?? [] }
      let parts = [
        Array("fluxion-xla-2".utf8), Array(client.platformName.utf8), Array(client.platformVersion.utf8),
        Array("\(client.plugin.version) \(client.plugin.file)".utf8), Array(client.allDevices.map(\.kind).description.utf8),
        variable("XLA_FLAGS"), variable("LIBTPU_INIT_ARGS"), options.bytes, Array(text.utf8),
      ]
      var bytes: [UInt8] = []
      for part in parts { bytes += CompileCache.littleEndian(UInt64(part.count)) + part }
      self.bytes = bytes
      func digits(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      name = digits(CompileCache.hash(bytes[...])) + digits(CompileCache.hash(bytes[...], from: 0x9e37_79b9_7f4a_7c15))
    }
  }

  private static func hash(_ bytes: ArraySlice<UInt8>, from seed: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
    bytes.withUnsafeBufferPointer { bytes in bytes.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
  }

  private static func littleEndian(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

  /// What follows the hash that `content` begins with, if it is the hash of it.
  private static func checked(_ content: [UInt8]) -> [UInt8]? {
    content.count > 8 && littleEndian(hash(content[8...])) == Array(content[..<8]) ? Array(content[8...]) : nil
  }

  /// What follows `prefix` in the file; nil when it does not begin so.
  private static func read(_ path: String, after prefix: [UInt8]) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    guard size > prefix.count else { return nil }
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: size)
    guard fread(&bytes, 1, size, file) == size, bytes.starts(with: prefix) else { return nil }
    return Array(bytes[prefix.count...])
  }

  /// Writes under another name first, so that no reader sees half a file.
  private func write(_ bytes: [UInt8], to path: String) {
    var made = ""
    for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
      made += made.isEmpty && part.isEmpty ? "/" : (made.hasSuffix("/") || made.isEmpty ? "" : "/") + part
      mkdir(made, 0o755)
    }
    makeRoom(for: bytes.count)
    let temporary = "\(path).\(getpid())"
    guard let file = fopen(temporary, "wb") else { return }
    let written = fwrite(bytes, 1, bytes.count, file)
    if fclose(file) == 0, written == bytes.count, rename(temporary, path) == 0 { return }
    unlink(temporary)
  }

  private func makeRoom(for count: Int) {
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    var files: [(path: String, size: Int, used: Int)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var status = stat()
      let path = "\(folder)/\(name)"
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      #if canImport(Darwin)
        files.append((path, Int(status.st_size), status.st_mtimespec.tv_sec))
      #else
        files.append((path, Int(status.st_size), status.st_mtim.tv_sec))
      #endif
    }
    var total = files.reduce(count) { $0 + $1.size }
    for file in files.sorted(by: { $0.used < $1.used }) where total > byteLimit {
      unlink(file.path)
      total -= file.size
    }
  }
}
