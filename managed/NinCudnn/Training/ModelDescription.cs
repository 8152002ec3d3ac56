using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>What a model is, apart from its parameters.</summary>
/// <param name="Architecture">The network.</param>
/// <param name="ImageSize">Height and width of its input.</param>
/// <param name="Normalization">Statistics for the input pixels.</param>
/// <param name="ClassNames">A name per class.</param>
public sealed record ModelDescription(Architecture Architecture, int ImageSize, Normalization Normalization, IReadOnlyList<string> ClassNames)
{
    /// <summary>Refuses a data set whose images or labels the network can't take.</summary>
    /// <exception cref="ArgumentException">Channels or classes differ.</exception>
    public void CheckFits(ImageDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (dataset.Channels != Architecture.InputChannels)
            throw new ArgumentException($"{dataset.Name} has images of {dataset.Channels} channels, the network takes {Architecture.InputChannels}");
        if (dataset.Classes != Architecture.Classes)
            throw new ArgumentException($"{dataset.Name} has {dataset.Classes} classes, the network {Architecture.Classes}");
    }
}
