namespace NinCudnn.Data;

/// <summary>A data set of four IDX files, as MNIST's.</summary>
public sealed record IdxDataset : KnownDataset
{
    /// <summary>Images to train on: (N, H, W).</summary>
    public required DatasetFile TrainImages { get; init; }

    /// <summary>Labels of the images to train on: (N).</summary>
    public required DatasetFile TrainLabels { get; init; }

    /// <summary>Images to evaluate on: (N, H, W).</summary>
    public required DatasetFile TestImages { get; init; }

    /// <summary>Labels of the images to evaluate on: (N).</summary>
    public required DatasetFile TestLabels { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<DatasetFile> Files => [TrainImages, TrainLabels, TestImages, TestLabels];

    /// <summary>Loads one split. The images' size and number are taken from the files; the published content is not required.</summary>
    /// <returns>Images with one channel.</returns>
    /// <inheritdoc/>
    public override ImageDataset Load(string directory, DatasetSplit split)
    {
        var (imagesFile, labelsFile) = split == DatasetSplit.Train ? (TrainImages, TrainLabels) : (TestImages, TestLabels);
        var imagesPath = Require(imagesFile, directory);
        var labelsPath = Require(labelsFile, directory);
        var images = IdxFile.Read(imagesPath, rank: 3);
        var labels = IdxFile.Read(labelsPath, rank: 1);
        var (count, classes) = (images.Shape[0], ClassNames.Count);
        if (labels.Shape[0] != count)
            throw new InvalidDataException($"{labelsPath}: {labels.Shape[0]} labels at offset 4, but {imagesPath} has {count} images");
        var bad = Array.FindIndex(labels.Values, label => label >= classes);
        if (bad >= 0)
            throw new InvalidDataException($"{labelsPath}: label {labels.Values[bad]} at offset {8 + bad}, {Title} has {classes} classes");

        return new ImageDataset(
            NameOf(split), images.Values, Array.ConvertAll(labels.Values, label => (ushort)label), images.Shape[1], images.Shape[2],
            channels: 1, ClassNames);
    }
}
