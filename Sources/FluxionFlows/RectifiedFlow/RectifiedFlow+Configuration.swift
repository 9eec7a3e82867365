public import FluxionExperiment

extension RectifiedFlow {
  /// Hyper-parameters. Defaults are those for points in a few dimensions on a desk machine; the values of the paper's image runs
  /// (`ImageGeneration/` of its code) stand beside them.
  public struct Configuration: SystemConfiguration {
    /// How many flows are trained: the first on the given coupling, each further one on the pairs of the one before (reflow).
    public var rounds = 3
    /// Whether each round is distilled to few steps as well.
    public var distils = true

    /// Hidden features of the perceptron for points, or channels of the highest resolution for images (paper: DDPM++ U-Net).
    public var width = 128
    /// Hidden layers of the perceptron.
    public var depth = 3

    /// Adam's rate at the start of a round; it falls along a cosine (paper: 2e-4, warm-up 5000).
    public var learningRate = 2e-3
    /// The rate at the end of a round as a fraction of that at its start.
    public var finalRateFraction = 0.02
    /// Per step, the share of the averaged weights that stays; averages are used for all evaluation (paper: 0.999999).
    public var averageDecay = 0.999
    /// Whether that share is held below (1 + t)/(10 + t) at step t, so that averages forget the first weights (paper's code: yes).
    /// Measures of the first round are then closer to the exact flow's; see the page on results.
    public var averageWarmUp = false
    /// Gradients of larger norm are scaled down to it; 0 for no limit (paper: 1).
    public var gradientClip = 0.0
    /// Pairs in a batch (paper: 128).
    public var batch = 512
    /// Steps of training per round (paper: 600k–800k, 300k for reflow).
    public var steps = 3000
    /// Steps of training per distillation (paper: 300k).
    public var distillationSteps = 1500

    /// Pairs that a flow makes for the next round and for distillation (paper: 4M for CIFAR-10).
    public var pairs = 20_000
    /// How those pairs are integrated (paper: rk45(1e-5)).
    public var pairMethod = FlowMethod.euler(steps: 100)
    /// Times in training: `uniform`, `t0`, `t1`, or a whole number k for {0, 1/k, …, (k-1)/k}.
    public var reflowTimes = TimeSchedule.uniform
    /// The loss of reflow and of the first round: `l2`, `l1` or `log-l1`.
    public var loss = RectifiedFlow.Loss.l2
    /// The loss of distillation (paper: LPIPS, with or without l2).
    public var distillationLoss = RectifiedFlow.Loss.l2
    /// The number of steps distilled to: 1 learns at t = 0 only, k at {0, 1/k, …, (k-1)/k}.
    public var distilledSteps = 1

    /// The least time of training.
    public var timeEpsilon = 1e-3
    /// The standard deviation of the Gaussian source.
    public var noiseScale = 1.0
    /// σ_var of the stochastic sampler; 0 is the flow itself.
    public var sigmaVar = 0.0
    /// The way from source to data.
    public var interpolation = Interpolation.Kind.straight
    /// σ_min and σ_max of the interpolation `ve`.
    public var sigmaMin = 0.01
    public var sigmaMax = 50.0
    /// How source and data are coupled in the first round.
    public var coupling = Coupling.Kind.independent

    /// Whether points from files are brought to mean 0 and standard deviation 1 per column. The program's own sets come to scale.
    public var standardise = true
    /// The probability that a class is hidden in training, so that the same network learns the field without class.
    public var labelDropout = 0.1
    /// Points of the source domain, a file; without one the source is N(0, noiseScale²).
    public var source: String?
    /// The column of the data that holds classes; naming one makes the flow conditional.
    public var label: String?
    /// Whether classes that come with the data (those of a CIFAR file) are used.
    public var conditional = false
    /// Whether batches hold every class of the data equally often. A label column then only balances, unless `conditional` is set.
    public var classBalanced = false
    /// The strength of classifier-free guidance: 1 is the conditional field itself.
    public var guidanceScale = 1.0

    public init() {}

    /// The defaults with another number of rounds, and what else is often changed.
    public init(rounds: Int, distils: Bool = true, steps: Int = 3000, batch: Int = 512) {
      self.rounds = rounds
      self.distils = distils
      self.steps = steps
      self.batch = batch
    }

    /// Whether the network is told the class.
    public var usesClasses: Bool { conditional || (label != nil && !classBalanced) }

    public static let settings: [Setting<Self>] = [
      Setting("rounds", \.rounds, .range(1...20), "Flows trained in a row, each on the pairs of the one before.", paper: "1–3"),
      Setting("distils", \.distils, .any, "Whether each round is distilled as well."),
      Setting("width", \.width, .range(4...4096), "Hidden features (points) or channels (images).", paper: "DDPM++ U-Net"),
      Setting("depth", \.depth, .range(1...64), "Hidden layers of the perceptron."),
      Setting("learningRate", \.learningRate, .above(0), "Adam's rate at the start of a round.", paper: "2e-4"),
      Setting("finalRateFraction", \.finalRateFraction, .range(0...1), "The rate at the end, as a fraction; a cosine leads there."),
      Setting("averageDecay", \.averageDecay, .between(0, below: 1), "Decay of the averaged weights used for evaluation.", paper: "0.999999"),
      Setting("averageWarmUp", \.averageWarmUp, .any, "Whether the decay is held below (1 + t)/(10 + t) at step t.", paper: "true"),
      Setting("gradientClip", \.gradientClip, .atLeast(0), "The largest norm of a gradient; 0 for no limit.", paper: "1"),
      Setting("batch", \.batch, .range(1...1_000_000), "Pairs in a batch.", paper: "128"),
      Setting("steps", \.steps, .atLeast(1), "Steps of training per round.", paper: "600k–800k, reflow 300k"),
      Setting("distillationSteps", \.distillationSteps, .atLeast(1), "Steps of training per distillation.", paper: "300k"),
      Setting("pairs", \.pairs, .atLeast(2), "Pairs made for reflow and distillation.", paper: "4M (CIFAR-10)"),
      Setting("pairMethod", \.pairMethod, .any, "How the pairs are integrated.", paper: "rk45(1e-5)"),
      Setting("reflowTimes", \.reflowTimes, .any, "Times of training from the second round on.", paper: "uniform"),
      Setting("loss", \.loss, .any, "The loss of all rounds.", paper: "l2"),
      Setting("distillationLoss", \.distillationLoss, .any, "The loss of distillation.", paper: "lpips, lpips+l2"),
      Setting("distilledSteps", \.distilledSteps, .range(1...1000), "The number of steps distilled to.", paper: "1"),
      Setting("timeEpsilon", \.timeEpsilon, .range(0...0.5), "The least time of training.", paper: "1e-3"),
      Setting("noiseScale", \.noiseScale, .above(0), "Standard deviation of the Gaussian source.", paper: "1"),
      Setting("sigmaVar", \.sigmaVar, .atLeast(0), "Noise of the stochastic sampler.", paper: "0"),
      Setting("interpolation", \.interpolation, .any, "The way from source to data.", paper: "straight"),
      Setting("sigmaMin", \.sigmaMin, .above(0), "Least noise of the interpolation ve.", paper: "0.01"),
      Setting("sigmaMax", \.sigmaMax, .above(0), "Greatest noise of the interpolation ve.", paper: "50"),
      Setting("coupling", \.coupling, .any, "How source and data are coupled at first.", paper: "independent"),
      Setting("standardise", \.standardise, .any, "Whether columns of files are brought to mean 0, deviation 1."),
      Setting("labelDropout", \.labelDropout, .range(0...1), "Probability that a class is hidden in training."),
      Setting(file: "source", \.source, "Points of the source domain, for transfer; none for Gaussian noise."),
      Setting(label: "label", \.label, "Column of classes, for conditional generation."),
      Setting("conditional", \.conditional, .any, "Whether classes that come with the data are used."),
      Setting("classBalanced", \.classBalanced, .any, "Whether batches hold every class equally often; a label column then only balances."),
      Setting("guidanceScale", \.guidanceScale, .atLeast(0), "Strength of classifier-free guidance; 1 is the conditional field."),
    ]
  }
}

extension Interpolation.Kind: SettingValue {
  /// `custom` has closures and cannot be written: it is set in a program.
  public init?(settingText: String) {
    self.init(rawValue: settingText)
    if self == .custom { return nil }
  }
  public var settingText: String { rawValue }
  public static var kind: String { "one of " + allCases.filter { $0 != .custom }.map(\.rawValue).joined(separator: ", ") }
}
extension Coupling.Kind: SettingValue {}
extension RectifiedFlow.Loss: SettingValue {}

extension FlowMethod: SettingValue {
  public init?(settingText: String) { self.init(settingText) }
  public var settingText: String { description }
  public static var kind: String { "euler(N), heun(N), rk4(N) with N ≥ 1, or rk45(tolerance)" }
}

extension TimeSchedule: SettingValue {
  public init?(settingText: String) { self.init(settingText) }
  public var settingText: String { description }
  public static var kind: String { "uniform, t0, t1 or a whole number of at least 1" }
}
