using System.CommandLine;
using System.Globalization;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary>The options that say how to train: a recipe, and values that go before its own.</summary>
internal sealed class RecipeOptions
{
    private readonly Option<RecipeChoice> _recipe = new("--recipe")
    {
        Description = $"The recipe, whose values hold where no option is given: {RecipeChoice.Choices} (nin recipe).",
        HelpName = "name",
        CustomParser = result => SharedOptions.ParseOrReport(result, RecipeChoice.Parse),
        DefaultValueFactory = _ => RecipeChoice.Seed,
    };
    private readonly Option<int?> _epochs = SharedOptions.Positive(new("--epochs") { Description = "Passes over the training set.", HelpName = "n" });
    private readonly Option<BatchRequest?> _batch = new("--batch")
    {
        Description = "Samples per step; auto takes as many as fit the device.",
        HelpName = "n|auto",
        CustomParser = result => SharedOptions.ParseOrReport<BatchRequest?>(result, BatchRequest.Parse),
    };
    private readonly Option<int?> _resize = SharedOptions.Positive(
        new("--resize") { Description = "Height and width that images are resized to.", HelpName = "pixels" });
    private readonly Option<double?> _learningRate = SharedOptions.NonNegative(
        new("--learning-rate", "--lr") { Description = "The (peak) learning rate.", HelpName = "rate" });
    private readonly Option<string?> _schedule = SharedOptions.OneOf(
        new("--schedule") { HelpName = "name" }, "How the learning rate changes", RecipeNames.Schedules.Keys);
    private readonly Option<double?> _warmUp = SharedOptions.NonNegative(
        new("--warm-up") { Description = "Share of the steps in which the rate rises first, below 1.", HelpName = "share" });
    private readonly Option<double?> _momentum = SharedOptions.NonNegative(
        new("--momentum") { Description = "SGD's momentum, below 1.", HelpName = "factor" });
    private readonly Option<bool?> _nesterov = new("--nesterov") { Description = "Nesterov's form of the momentum." };
    private readonly Option<double?> _weightDecay = SharedOptions.NonNegative(
        new("--weight-decay") { Description = "Share of each parameter added to its gradient.", HelpName = "factor" });
    private readonly Option<string?> _initialization = SharedOptions.OneOf(
        new("--init") { HelpName = "name" }, "First parameters", RecipeNames.Initializations.Keys);
    private readonly Option<double?> _outputScale = SharedOptions.NonNegative(
        new("--output-scale") { Description = "Factor on the last convolution's first weights.", HelpName = "factor" });
    private readonly Option<double?> _outputBias = SharedOptions.NonNegative(
        new("--output-bias") { Description = "Added to the last convolution's first biases.", HelpName = "value" });
    private readonly Option<bool?> _normalize = new("--normalize") { Description = "Normalise pixels by the training set's mean and deviation." };
    private readonly Option<double?> _dropout = SharedOptions.NonNegative(
        new("--dropout") { Description = "The rate of the dropout layers, below 1.", HelpName = "rate" });
    private readonly Option<double?> _labelSmoothing = SharedOptions.NonNegative(
        new("--label-smoothing") { Description = "Share of the loss's target that all classes divide among them, below 1.", HelpName = "share" });
    private readonly Option<double?> _clipNorm = SharedOptions.NonNegative(
        new("--clip-norm") { Description = "Scale gradients down to this global norm where theirs is larger.", HelpName = "norm" });
    private readonly Option<double?> _ema = SharedOptions.NonNegative(
        new("--ema") { Description = "Evaluate and save a moving average of the parameters; its decay, below 1.", HelpName = "decay" });
    private readonly Option<double?> _flip = SharedOptions.NonNegative(
        new("--flip") { Description = "Probability that a training image is flipped left to right.", HelpName = "probability" });
    private readonly Option<int?> _crop = SharedOptions.WholeNumber(
        new("--crop") { Description = "Shift training images by up to so many of their own pixels, each way.", HelpName = "pixels" });
    private readonly Option<double?> _erase = SharedOptions.NonNegative(
        new("--erase") { Description = "Probability that a rectangle of a training image is made black.", HelpName = "probability" });

    /// <summary>Makes the options.</summary>
    public RecipeOptions()
    {
        _recipe.CompletionSources.Add([.. TrainingRecipe.BuiltIn.Select(built => built.Name)]);
        _batch.CompletionSources.Add("auto");
    }

    /// <summary>Adds all options.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            _recipe, _epochs, _batch, _resize, _learningRate, _schedule, _warmUp, _momentum, _nesterov, _weightDecay, _initialization, _outputScale,
            _outputBias, _normalize, _dropout, _labelSmoothing, _clipNorm, _ema, _flip, _crop, _erase,
        ];
        Array.ForEach(options, command.Add);
    }

    /// <summary>Whether the batch is to be as large as the device allows.</summary>
    public bool IsBatchSearched(ParseResult parsed) => parsed.GetValue(_batch) is { Size: null };

    /// <summary>The recipe that results.</summary>
    /// <param name="parsed">The command line, with the options of a run that goes on.</param>
    /// <param name="given">The command line as it was given.</param>
    /// <param name="resumed">The recipe of a run that goes on, which holds unless another is given; null for a new run.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public TrainingRecipe Parse(ParseResult parsed, ParseResult given, TrainingRecipe? resumed)
    {
        TrainingRecipe recipe = resumed is null || CommandTree.IsGiven(given, _recipe) ? parsed.GetRequiredValue(_recipe).Recipe : resumed;
        Augmentation augmentation = recipe.Augmentation ?? Augmentation.None;
        augmentation = new Augmentation(
            parsed.GetValue(_flip) ?? augmentation.HorizontalFlip,
            parsed.GetValue(_crop) ?? augmentation.CropPadding,
            parsed.GetValue(_erase) ?? augmentation.ErasingProbability);
        Initialization initialization = parsed.GetValue(_initialization) is { } name ? RecipeNames.Initializations[name] : recipe.Initialization;
        recipe = recipe with
        {
            Epochs = parsed.GetValue(_epochs) ?? recipe.Epochs,
            BatchSize = parsed.GetValue(_batch) is { Size: { } batchSize } ? batchSize : recipe.BatchSize,
            ImageSize = parsed.GetValue(_resize) ?? recipe.ImageSize,
            LearningRate = parsed.GetValue(_learningRate) ?? recipe.LearningRate,
            Schedule = Schedule(parsed, recipe.Schedule),
            Sgd = new SgdSettings(
                parsed.GetValue(_momentum) ?? recipe.Sgd.Momentum,
                parsed.GetValue(_weightDecay) ?? recipe.Sgd.WeightDecay,
                parsed.GetValue(_nesterov) ?? recipe.Sgd.Nesterov),
            Initialization = initialization with
            {
                OutputScale = parsed.GetValue(_outputScale) ?? recipe.Initialization.OutputScale,
                OutputBias = parsed.GetValue(_outputBias) ?? recipe.Initialization.OutputBias,
            },
            NormalizeInput = parsed.GetValue(_normalize) ?? recipe.NormalizeInput,
            DropoutRate = parsed.GetValue(_dropout) ?? recipe.DropoutRate,
            LabelSmoothing = parsed.GetValue(_labelSmoothing) ?? recipe.LabelSmoothing,
            ClipNorm = parsed.GetValue(_clipNorm) ?? recipe.ClipNorm,
            EmaDecay = parsed.GetValue(_ema) ?? recipe.EmaDecay,
            Augmentation = augmentation == Augmentation.None ? null : augmentation,
        };
        recipe.Validate();
        return recipe;
    }

    private LearningRateSchedule Schedule(ParseResult parsed, LearningRateSchedule schedule)
    {
        if (parsed.GetValue(_schedule) is { } name)
            schedule = RecipeNames.Schedules[name];
        return parsed.GetValue(_warmUp) is { } rising
            ? new WarmUpSchedule(schedule is WarmUpSchedule before ? before.After : schedule, rising)
            : schedule;
    }
}

/// <summary>How many samples a step is to take.</summary>
/// <param name="Size">The number; null for as many as fit.</param>
internal readonly record struct BatchRequest(int? Size)
{
    /// <exception cref="FormatException">The text is neither a number of at least 1 nor auto.</exception>
    public static BatchRequest? Parse(string text)
    {
        if (text == "auto")
            return new BatchRequest(null);
        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int size) && size >= 1
            ? new BatchRequest(size)
            : throw new FormatException($"--batch is '{text}', but must be auto or a whole number between 1 and {int.MaxValue}");
    }
}
