using System.Collections.Immutable;

namespace NinCudnn.Networks;

/// <summary>A built-in network and what it was published for.</summary>
/// <param name="Name">The name by which it is asked for.</param>
/// <param name="Description">What it is.</param>
/// <param name="InputChannels">Channels of the images it was published for.</param>
/// <param name="Classes">Classes it was published for.</param>
/// <param name="ImageSize">Height and width of the images it was published for.</param>
/// <param name="Create">Makes the network for a number of input channels and classes.</param>
public sealed record ArchitecturePreset(
    string Name, string Description, int InputChannels, int Classes, int ImageSize, Func<int, int, Architecture> Create)
{
    /// <summary>All built-in networks, the book's first.</summary>
    public static ImmutableArray<ArchitecturePreset> All { get; } =
    [
        new("seed", "Dive into Deep Learning's network", 1, 10, 224, Architecture.Seed),
        new("cifar", "the original paper's network for CIFAR", 3, 10, 32, Architecture.Cifar),
        new("imagenet", "the original authors' network for ImageNet, as their Caffe model has it", 3, 1000, 224, Architecture.ImageNet),
    ];

    /// <summary>The network of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static ArchitecturePreset Get(string name) => All.FirstOrDefault(preset => preset.Name == name)
        ?? throw new ArgumentException($"there is no architecture '{name}'; there are {string.Join(", ", All.Select(preset => preset.Name))}");
}
