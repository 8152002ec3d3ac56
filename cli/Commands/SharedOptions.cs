using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary>Options that several commands have, and what kinds of values options take.</summary>
internal static class SharedOptions
{
    public static Option<DeviceRequest> Device() => new("--device")
    {
        Description = "Where to compute: auto, cpu, cuda or cuda:N.",
        HelpName = "device",
        CustomParser = result => ParseOrReport(result, DeviceRequest.Parse),
        DefaultValueFactory = _ => DeviceRequest.Auto,
    };

    /// <summary>The name of one of <see cref="KnownDatasets.All"/>.</summary>
    public static Option<string?> Dataset() => OneOf(
        new("--dataset") { HelpName = "name", DefaultValueFactory = _ => KnownDatasets.All[0].Name },
        "The data set",
        KnownDatasets.All.Select(dataset => dataset.Name));

    /// <summary>The name of one of <see cref="Networks.Architecture.Presets"/>.</summary>
    public static Option<string?> Architecture() =>
        OneOf(new("--arch") { HelpName = "name", DefaultValueFactory = _ => "seed" }, "The network", Networks.Architecture.Presets);

    public static Option<DirectoryInfo?> DataDirectory() => Directory(new("--data")
    {
        Description = $"The directory with the data set's files. Without it: ${DatasetLocator.EnvironmentVariable}, ./data, then the system's.",
    });

    public static Option<int?> Limit(string name, string what) => Positive(new Option<int?>(name)
    {
        Description = $"Use only the first so many images of the {what} set.",
        HelpName = "images",
    });

    public static Option<bool> Json() => new("--json") { Description = "Write JSON for programs." };

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
        new Option<long?>("--workspace-limit")
        {
            Description = "The most scratch memory that one operator may take, for example 64M; 512M if not given.",
            HelpName = "bytes",
            CustomParser = result => ParseOrReport<long?>(result, text => ByteSize.Parse(text)),
        });

    /// <summary>What to compute in; <see cref="PrecisionChoice"/> reads it.</summary>
    public static Option<string?> Precision(string otherwise) =>
        OneOf(new("--precision") { HelpName = "name" }, $"What to compute in, {otherwise} if not given", [.. RecipeNames.Precisions.Keys, PrecisionChoice.Auto]);

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

    /// <summary>Loads a split, cut down to the first <paramref name="limit"/> images.</summary>
    public static ImageDataset Load(KnownDataset dataset, DirectoryInfo? directory, DatasetSplit split, int? limit)
    {
        ImageDataset images = dataset.Load(new DatasetLocator().Locate(dataset, directory?.FullName), split);
        return limit is { } count && count < images.Count ? images.Take(count) : images;
    }

    /// <summary>Parses the option's only token; what goes wrong becomes the command line's error.</summary>
    public static T? ParseOrReport<T>(ArgumentResult result, Func<string, T> parse)
    {
        try
        {
            return parse(result.Tokens[0].Value);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            result.AddError(e.Message);
            return default;
        }
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
