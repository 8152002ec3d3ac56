using System.Globalization;
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
    /// <summary>Refuses a data set whose images or labels the network can't take. Classes that are only numbered fit any names.</summary>
    /// <exception cref="ArgumentException">Channels or classes, or their names or order, differ.</exception>
    public void CheckFits(ImageDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (dataset.Channels != Architecture.InputChannels)
            throw new ArgumentException($"{dataset.Name} has images of {dataset.Channels} channels, the network takes {Architecture.InputChannels}");
        if (dataset.Classes != Architecture.Classes)
            throw new ArgumentException($"{dataset.Name} has {dataset.Classes} classes, the network {Architecture.Classes}");
        bool isNumbered = ClassNames.Index().All(item => item.Item == item.Index.ToString(CultureInfo.InvariantCulture));
        if (!isNumbered && ClassNames.Zip(dataset.ClassNames).FirstOrDefault(names => names.First != names.Second) is ({ } own, var other))
            throw new ArgumentException($"{dataset.Name} has the class {other} where the network has {own}");
    }

    /// <summary>Refuses parts that do not fit together.</summary>
    /// <exception cref="ArgumentException">The message says which.</exception>
    internal void Validate()
    {
        Parameter.Enumerate(Architecture); // refuses tensors that no array holds
        Architecture.InferShapes(1, ImageSize, ImageSize);
        int channels = Architecture.InputChannels;
        if (Normalization.Mean.Count != channels || Normalization.Deviation.Count != channels || ClassNames.Count != Architecture.Classes)
        {
            throw new ArgumentException(
                $"{Architecture.Name} needs one mean and deviation per channel and one name per class: {channels}, {channels} and {Architecture.Classes}, "
                + $"but has {Normalization.Mean.Count}, {Normalization.Deviation.Count} and {ClassNames.Count}");
        }
        if (Normalization.Deviation.Any(deviation => !(deviation > 0) || !float.IsFinite(deviation) || !float.IsFinite(1 / deviation)))
            throw new ArgumentException($"{Architecture.Name} has a deviation that is not positive, or too large or small");
        if (!Normalization.Mean.All(float.IsFinite))
            throw new ArgumentException($"{Architecture.Name} has a mean that is not finite");
        if (ClassNames.Contains(null))
            throw new ArgumentException($"{Architecture.Name} has a class without a name");
        Setting.Require(ImageSize <= TrainingRecipe.MaxImageSize, "the image size", ImageSize, $"between 1 and {TrainingRecipe.MaxImageSize}");
    }
}
