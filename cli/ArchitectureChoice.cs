using NinCudnn.Networks;

namespace NinCudnn.Cli;

/// <summary>A built-in network by its name, or a network of the user's own.</summary>
internal sealed record ArchitectureChoice
{
    private readonly ArchitecturePreset? _preset;
    private readonly Architecture? _own;

    private ArchitectureChoice(ArchitecturePreset? preset, Architecture? own) => (_preset, _own) = (preset, own);

    /// <summary>What can be chosen, in words.</summary>
    public static string Choices { get; } = $"{string.Join(" or ", ArchitecturePreset.All.Select(preset => preset.Name))}, or a .json file";

    public static ArchitectureChoice Seed { get; } = new(ArchitecturePreset.All[0], null);

    /// <summary>Channels of the images that it is meant for.</summary>
    public int InputChannels => _own?.InputChannels ?? _preset!.InputChannels;

    /// <summary>Classes that it is meant for.</summary>
    public int Classes => _own?.Classes ?? _preset!.Classes;

    /// <summary>Height and width of the images that it is meant for, where that is known.</summary>
    public int? ImageSize => _preset?.ImageSize;

    public override string ToString() => _own?.Name ?? _preset!.Name;

    /// <summary>Parses a name or the path of a JSON file.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    /// <exception cref="InvalidDataException">The file holds no architecture.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ArchitectureChoice Parse(string text)
    {
        if (text.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return new ArchitectureChoice(null, ArchitectureJson.ReadFile(text));
        return ArchitecturePreset.All.FirstOrDefault(preset => preset.Name == text) is { } known
            ? new ArchitectureChoice(known, null)
            : throw new FormatException($"--arch is '{text}', but must be {Choices}");
    }

    /// <summary>The network for images and classes; null stands for those that it is meant for.</summary>
    /// <exception cref="ArgumentException">A network of the user's own has others.</exception>
    public Architecture For(int? inputChannels = null, int? classes = null)
    {
        if (_own is null)
            return _preset!.Create(inputChannels ?? InputChannels, classes ?? Classes);
        if (inputChannels is { } channels && channels != _own.InputChannels)
            throw new ArgumentException($"the network {_own.Name} takes images of {_own.InputChannels} channels, not of {channels}");
        if (classes is { } count && count != _own.Classes)
            throw new ArgumentException($"the network {_own.Name} has {_own.Classes} classes, not {count}");
        return _own;
    }
}
