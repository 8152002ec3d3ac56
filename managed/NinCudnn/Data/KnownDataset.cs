namespace NinCudnn.Data;

/// <summary>Which part of a data set.</summary>
public enum DatasetSplit
{
    /// <summary>The images to train on.</summary>
    Train,

    /// <summary>The images to evaluate on.</summary>
    Test,
}

/// <summary>A published data set of four IDX files, with all that is needed to find, download, check and load it.</summary>
public sealed record KnownDataset
{
    /// <summary>The short name for options and directories, for example "fashion-mnist".</summary>
    public required string Name { get; init; }

    /// <summary>The name as its authors write it.</summary>
    public required string Title { get; init; }

    /// <summary>The classes' names in label order.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The official address of the directory with the four files.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>Images to train on: (N, H, W).</summary>
    public required DatasetFile TrainImages { get; init; }

    /// <summary>Labels of the images to train on: (N).</summary>
    public required DatasetFile TrainLabels { get; init; }

    /// <summary>Images to evaluate on: (N, H, W).</summary>
    public required DatasetFile TestImages { get; init; }

    /// <summary>Labels of the images to evaluate on: (N).</summary>
    public required DatasetFile TestLabels { get; init; }

    /// <summary>The Debian package that installs the set, or null.</summary>
    public string? DebianPackage { get; init; }

    /// <summary>The four files.</summary>
    public IReadOnlyList<DatasetFile> Files => [TrainImages, TrainLabels, TestImages, TestLabels];

    /// <summary>Returns the published names of the files that a directory lacks.</summary>
    /// <param name="directory">The directory to look in; it need not exist.</param>
    public IReadOnlyList<string> MissingIn(string directory) =>
        [.. Files.Where(file => file.FindIn(directory) is null).Select(file => file.Name)];

    /// <summary>Loads one split. The images' size and number are taken from the files; the published content is not required.</summary>
    /// <param name="directory">The directory with the files, named as published or without ".gz".</param>
    /// <param name="split">The part to load.</param>
    /// <returns>Images with one channel.</returns>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is broken, or the two do not fit together.</exception>
    public ImageDataset Load(string directory, DatasetSplit split)
    {
        var (imagesFile, labelsFile) = split == DatasetSplit.Train ? (TrainImages, TrainLabels) : (TestImages, TestLabels);
        var imagesPath = Require(imagesFile, directory);
        var labelsPath = Require(labelsFile, directory);
        var images = IdxFile.Read(imagesPath, rank: 3);
        var labels = IdxFile.Read(labelsPath, rank: 1);
        var (count, classes) = (images.Shape[0], ClassNames.Count);
        if (labels.Shape[0] != count)
            throw new InvalidDataException($"{labelsPath}: {labels.Shape[0]} labels at offset 4, but {imagesPath} has {count} images");
        var bad = ImageDataset.IndexOfLabelOutside(labels.Values, classes);
        if (bad >= 0)
            throw new InvalidDataException($"{labelsPath}: label {labels.Values[bad]} at offset {8 + bad}, {Title} has {classes} classes");

        var name = split == DatasetSplit.Train ? $"{Name} train" : $"{Name} test";
        return new ImageDataset(name, images.Values, labels.Values, images.Shape[1], images.Shape[2], channels: 1, ClassNames);
    }

    private string Require(DatasetFile file, string directory) => file.FindIn(directory)
        ?? throw new FileNotFoundException($"{directory}: {file.Name} of {Title} is missing, compressed or not");
}
