using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NinCudnn.Cli.Runs;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary>Options that several commands have, and what kinds of values options take.</summary>
internal static class SharedOptions
{
    public static Option<DeviceRequest> Device()
    {
        var option = new Option<DeviceRequest>("--device")
        {
            Description = "Where to compute: auto, cpu, cuda or cuda:N.",
            HelpName = "device",
            CustomParser = result => ParseOrReport(result, DeviceRequest.Parse),
            DefaultValueFactory = _ => DeviceRequest.Auto,
        };
        option.CompletionSources.Add("auto", "cpu", "cuda");
        return option;
    }

    /// <summary>The name of one of <see cref="KnownDatasets.All"/>.</summary>
    public static Option<string?> Dataset() => OneOf(
        new("--dataset") { HelpName = "name", DefaultValueFactory = _ => KnownDatasets.All[0].Name },
        "The data set",
        KnownDatasets.All.Select(dataset => dataset.Name));

    /// <summary>The network.</summary>
    public static Option<ArchitectureChoice> Architecture()
    {
        var option = new Option<ArchitectureChoice>("--arch")
        {
            Description = $"The network: {ArchitectureChoice.Choices} (nin arch).",
            HelpName = "name",
            CustomParser = result => ParseOrReport(result, ArchitectureChoice.Parse),
            DefaultValueFactory = _ => ArchitectureChoice.Seed,
        };
        option.CompletionSources.Add([.. ArchitecturePreset.All.Select(preset => preset.Name)]);
        return option;
    }

    /// <summary>A trained model; <see cref="RunDirectory.FindModel"/> finds its file.</summary>
    public static Option<string> Checkpoint() => new("--checkpoint")
    {
        Description = "The model: a .safetensors file that nin wrote, or a run's directory.",
        HelpName = "path",
        Required = true,
    };

    public static Option<bool> Invert() => new("--invert")
    {
        Description = "Exchange light and dark: for drawings on paper, where the model learned light on dark as in Fashion-MNIST and MNIST.",
    };

    public static Option<int?> Limit(string name, string what) => Positive(new Option<int?>(name)
    {
        Description = $"Use only the first so many images of the {what} set.",
        HelpName = "images",
    });

    public static Option<bool> Json() => new("--json") { Description = "Write JSON for programs." };

    /// <summary>A network and the size of its input.</summary>
    public static NetworkOptions Network() => new(
        Architecture(),
        Positive(new("--resize") { Description = "Height and width of the input; those that the network is meant for if not given, or 224.", HelpName = "pixels" }),
        Positive(new("--channels") { Description = "Channels of the input; those that the network is meant for if not given.", HelpName = "n" }),
        Positive(new("--classes") { Description = "Classes; those that the network is meant for if not given.", HelpName = "n" }));

    /// <summary>Where a command writes its result; <see cref="Target"/> checks it.</summary>
    public static Option<FileInfo?> OutputFile() =>
        File(new("--output") { Description = "The file to write; an earlier one is replaced.", Required = true });

    /// <summary>The path to write to.</summary>
    /// <exception cref="ArgumentException">It is the file that the command reads.</exception>
    /// <exception cref="IOException">It is a directory, or its own directory does not exist.</exception>
    public static string Target(FileInfo output, string source)
    {
        if (output.FullName == Path.GetFullPath(source))
            throw new ArgumentException($"--output is {output}, which is read");
        if (System.IO.Directory.Exists(output.FullName))
            throw new IOException($"{output} is a directory; --output must be a file");
        return output.Directory is { Exists: true } ? output.ToString() : throw new IOException($"{output.DirectoryName} does not exist");
    }

    /// <summary>Accepts only the given names, and lists them in the description.</summary>
    public static Option<string?> OneOf(Option<string?> option, string description, IEnumerable<string> names)
    {
        string[] choices = [.. names];
        string list = string.Join(" or ", choices);
        option.Description = $"{description}: {list}.";
        option.CustomParser = result => ParseOrReport(result, text =>
            choices.Contains(text) ? text : throw new FormatException($"{option.Name} is '{text}', but must be {list}"));
        option.CompletionSources.Add(choices);
        return option;
    }

    /// <summary>Accepts only whole numbers of at least 1.</summary>
    public static Option<int?> Positive(Option<int?> option)
    {
        option.CustomParser = result => ParseOrReport<int?>(result, text =>
            int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && value >= 1
                ? value
                : throw new FormatException($"{option.Name} is '{text}', but must be a whole number between 1 and {int.MaxValue}"));
        return option;
    }

    /// <summary>How algorithms are chosen.</summary>
    public static ExecutionOptions Execution() => new(
        OneOf(new("--algorithms") { HelpName = "name", DefaultValueFactory = _ => "auto" }, "How convolution algorithms are chosen", ExecutionOptions.AlgorithmNames),
        new Option<bool?>("--deterministic") { Description = "Admit only algorithms that repeat bit for bit; true if not given." },
        Bytes(new("--workspace-limit") { Description = "The most scratch memory that one operator may take, for example 64M; 512M if not given." }));

    /// <summary>What to compute in; <see cref="PrecisionChoice"/> reads it.</summary>
    public static Option<string?> Precision(string otherwise) =>
        OneOf(new("--precision") { HelpName = "name" }, $"What to compute in, {otherwise} if not given", [.. RecipeNames.Precisions.Keys, PrecisionChoice.Auto]);

    /// <summary>Accepts only sizes as <see cref="ByteSize"/> reads them.</summary>
    public static Option<long?> Bytes(Option<long?> option)
    {
        option.HelpName = "bytes";
        option.CustomParser = result => ParseOrReport<long?>(result, text => ByteSize.Parse(text));
        return option;
    }

    /// <summary>Accepts only whole numbers of at least 0.</summary>
    public static Option<int?> WholeNumber(Option<int?> option)
    {
        option.CustomParser = result => ParseOrReport<int?>(result, text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
                ? value
                : throw new FormatException($"{option.Name} is '{text}', but must be a whole number between 0 and {int.MaxValue}"));
        return option;
    }

    /// <summary>Accepts only finite numbers of at least 0.</summary>
    public static Option<double?> NonNegative(Option<double?> option)
    {
        option.CustomParser = result => ParseOrReport<double?>(result, text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= 0 && double.IsFinite(value)
                ? value
                : throw new FormatException($"{option.Name} is '{text}', but must be a finite number of at least 0"));
        return option;
    }

    /// <summary>Accepts any path that is not empty.</summary>
    public static Option<DirectoryInfo?> Directory(Option<DirectoryInfo?> option)
    {
        option.HelpName = "directory";
        option.CustomParser = result => ParseOrReport(result, text =>
            text.Length > 0 ? new DirectoryInfo(text) : throw new FormatException($"{option.Name} is empty, but must be a directory's path"));
        return option;
    }

    /// <summary>Accepts any path that is not empty.</summary>
    public static Option<FileInfo?> File(Option<FileInfo?> option)
    {
        option.HelpName = "file";
        option.CustomParser = result => ParseOrReport(result, text =>
            text.Length > 0 ? new FileInfo(text) : throw new FormatException($"{option.Name} is empty, but must be a file's path"));
        return option;
    }

    /// <exception cref="FormatException">The text is no number of 64 bits.</exception>
    public static ulong ParseSeed(string option, string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw new FormatException($"{option} is '{text}', but must be a whole number between 0 and {ulong.MaxValue}");

    /// <summary>Parses the option's only token; what goes wrong becomes the command line's error.</summary>
    public static T? ParseOrReport<T>(ArgumentResult result, Func<string, T> parse)
    {
        try
        {
            return parse(result.Tokens[0].Value);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            result.AddError(e.Message);
            return default;
        }
    }
}

/// <summary>The options of <see cref="SharedOptions.Network"/>.</summary>
internal sealed record NetworkOptions(Option<ArchitectureChoice> Network, Option<int?> ImageSize, Option<int?> Channels, Option<int?> Classes)
{
    public void AddTo(Command command)
    {
        command.Add(Network);
        command.Add(ImageSize);
        command.Add(Channels);
        command.Add(Classes);
    }

    public (Architecture Architecture, int ImageSize) Parse(ParseResult parsed)
    {
        ArchitectureChoice choice = parsed.GetRequiredValue(Network);
        Architecture architecture = choice.For(parsed.GetValue(Channels), parsed.GetValue(Classes));
        return (architecture, parsed.GetValue(ImageSize) ?? choice.ImageSize ?? TrainingRecipe.Seed.ImageSize);
    }
}

/// <summary>The options of <see cref="ExecutionSettings"/>.</summary>
internal sealed record ExecutionOptions(Option<string?> Algorithms, Option<bool?> Deterministic, Option<long?> WorkspaceLimit)
{
    public static IEnumerable<string> AlgorithmNames => Enum.GetNames<AlgorithmChoice>().Select(name => name.ToLowerInvariant());

    public void AddTo(Command command)
    {
        command.Add(Algorithms);
        command.Add(Deterministic);
        command.Add(WorkspaceLimit);
    }

    public ExecutionSettings Parse(ParseResult parsed)
    {
        var defaults = new ExecutionSettings();
        return new ExecutionSettings
        {
            Algorithms = Enum.Parse<AlgorithmChoice>(parsed.GetValue(Algorithms)!, ignoreCase: true),
            Deterministic = parsed.GetValue(Deterministic) ?? defaults.Deterministic,
            WorkspaceLimit = parsed.GetValue(WorkspaceLimit) ?? defaults.WorkspaceLimit,
        };
    }
}
