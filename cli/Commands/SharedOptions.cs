using System.CommandLine;
using System.CommandLine.Parsing;
using NinCudnn.Data;
using NinCudnn.Interop;

namespace NinCudnn.Cli.Commands;

/// <summary>Options that several commands have, and what they mean.</summary>
internal static class SharedOptions
{
    public static Option<DeviceRequest> Device() => new("--device")
    {
        Description = "Where to compute: auto, cpu, cuda or cuda:N.",
        HelpName = "device",
        CustomParser = result => ParseOrReport(result, DeviceRequest.Parse),
        DefaultValueFactory = _ => DeviceRequest.Auto,
    };

    public static Option<KnownDataset> Dataset()
    {
        string names = string.Join(" or ", KnownDatasets.All.Select(dataset => dataset.Name));
        return new("--dataset")
        {
            Description = $"The data set: {names}.",
            HelpName = "name",
            CustomParser = result => ParseOrReport(result, KnownDatasets.Get),
            DefaultValueFactory = _ => KnownDatasets.FashionMnist,
        };
    }

    public static Option<DirectoryInfo?> DataDirectory() => new("--data")
    {
        Description = $"The directory with the data set's files. Without it: ${DatasetLocator.EnvironmentVariable}, ./data, then the system's.",
        HelpName = "directory",
    };

    public static Option<int?> Limit(string name, string what) => Positive(new Option<int?>(name)
    {
        Description = $"Use only the first so many images of the {what} set.",
        HelpName = "images",
    });

    public static Option<bool> Json() => new("--json") { Description = "Write JSON for programs." };

    /// <summary>Accepts only values of at least 1.</summary>
    public static Option<int?> Positive(Option<int?> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
                result.AddError($"{option.Name} is {value}, but must be at least 1");
        });
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
