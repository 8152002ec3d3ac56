using System.CommandLine;
using NinCudnn.Data;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary>The options that say where images come from.</summary>
internal sealed class DatasetOptions
{
    private readonly Option<string?> _dataset = SharedOptions.Dataset();
    private readonly Option<DirectoryInfo?> _data = SharedOptions.Directory(new("--data")
    {
        Description = $"The directory with the data set's files. Without it: ${DatasetLocator.EnvironmentVariable}, ./data, then the system's.",
    });
    private readonly Option<DirectoryInfo?> _images = SharedOptions.Directory(new("--images")
    {
        Description = "Your own images in place of a data set: a folder with one folder of images per class, or with the folders train and test "
            + "(or val) which have these.",
    });
    private readonly Option<int?> _imageSize = SharedOptions.Positive(new("--image-size")
    {
        Description = "Height and width that --images are decoded to; the network's if not given.",
        HelpName = "pixels",
    });
    private readonly Option<int?> _channels = new("--channels")
    {
        Description = "Decode --images to 1 (grey) or 3 (colours); what they are if not given.",
        HelpName = "1|3",
        CustomParser = result => SharedOptions.ParseOrReport<int?>(result, text => text switch
        {
            "1" => 1,
            "3" => 3,
            _ => throw new FormatException($"--channels is '{text}', but must be 1 or 3"),
        }),
    };
    private readonly Option<double?> _testFraction = SharedOptions.NonNegative(new("--test-fraction")
    {
        Description = "The share of each class of --images that is kept to test on; 0.2 if not given.",
        HelpName = "share",
    });
    private readonly Option<ulong?> _splitSeed = new("--split-seed")
    {
        Description = "Chooses which of --images these are; 0 if not given.",
        HelpName = "n",
        CustomParser = result => SharedOptions.ParseOrReport<ulong?>(result, text => SharedOptions.ParseSeed("--split-seed", text)),
    };
    private readonly Option<string?> _placement = SharedOptions.OneOf(
        new("--data-placement") { HelpName = "name", DefaultValueFactory = _ => "auto" },
        "Keep the images on the device, or let them stream from host memory; auto lets those stream that the device has no room for",
        Enum.GetNames<DataPlacement>().Select(name => name.ToLowerInvariant()));
    private readonly Option<bool> _skipBroken = new("--skip-broken") { Description = "Leave out those of --images that can't be decoded." };

    private Option[] Choosing => [_dataset, _data, _images, _testFraction, _splitSeed];

    private Option[] Decoding => [_imageSize, _channels, _skipBroken];

    /// <summary>Adds all options.</summary>
    public void AddTo(Command command)
    {
        AddChoiceTo(command);
        Array.ForEach(Decoding, command.Add);
        command.Add(_placement);
    }

    /// <summary>Adds only the options that say which images, not how they are decoded.</summary>
    public void AddChoiceTo(Command command) => Array.ForEach(Choosing, command.Add);

    /// <summary>Where the images are to lie.</summary>
    public DataPlacement Placement(ParseResult parsed) => Enum.Parse<DataPlacement>(parsed.GetValue(_placement)!, ignoreCase: true);

    /// <exception cref="ArgumentException">The options contradict each other, or the fraction is out of range.</exception>
    /// <exception cref="IOException">The folder of images can't be read.</exception>
    /// <exception cref="InvalidDataException">The folder of images is not made as it must be.</exception>
    public DataSource Parse(ParseResult parsed)
    {
        if (parsed.GetValue(_images) is not { } images)
        {
            if (Given(parsed, [_testFraction, _splitSeed, .. Decoding]) is { } lonely)
                throw new ArgumentException($"{lonely} is only for --images");
            return new KnownSource(KnownDatasets.Get(parsed.GetValue(_dataset)!), parsed.GetValue(_data)?.FullName);
        }

        if (Given(parsed, [_dataset, _data]) is { } other)
            throw new ArgumentException($"--images and {other} exclude each other");
        return new FolderSource(
            ImageFolder.Open(images.FullName, Split(parsed)), parsed.GetValue(_imageSize), parsed.GetValue(_channels), parsed.GetValue(_skipBroken));
    }

    /// <summary>Null unless an option asks for a division.</summary>
    private FolderSplit? Split(ParseResult parsed)
    {
        var defaults = new FolderSplit();
        double? fraction = parsed.GetValue(_testFraction);
        ulong? seed = parsed.GetValue(_splitSeed);
        return fraction is null && seed is null ? null : new FolderSplit(fraction ?? defaults.TestFraction, seed ?? defaults.Seed);
    }

    /// <summary>The name of the first option that the command line has.</summary>
    private static string? Given(ParseResult parsed, Option[] options) =>
        options.FirstOrDefault(option => CommandTree.IsGiven(parsed, option))?.Name;
}
