namespace NinCudnn.Data;

/// <summary>Which part of a data set.</summary>
public enum DatasetSplit
{
    /// <summary>The images to train on.</summary>
    Train,

    /// <summary>The images to evaluate on.</summary>
    Test,
}

/// <summary>A published data set, with all that is needed to find, download, check and load it. Its files' format is the derived type.</summary>
public abstract record KnownDataset
{
    /// <summary>The short name for options and directories, for example "fashion-mnist".</summary>
    public required string Name { get; init; }

    /// <summary>The name as its authors write it.</summary>
    public required string Title { get; init; }

    /// <summary>Numbers, kind and size of the images, in a few words.</summary>
    public required string Description { get; init; }

    /// <summary>The classes' names in label order.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The official address of the directory with the files, or with the archive.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>The archive that holds the files, or null if they are published one by one.</summary>
    public DatasetArchive? Archive { get; init; }

    /// <summary>The Debian package that installs the set, or null.</summary>
    public string? DebianPackage { get; init; }

    /// <summary>All files.</summary>
    public abstract IReadOnlyList<DatasetFile> Files { get; }

    /// <summary>Returns the published names of the files that a directory lacks.</summary>
    /// <param name="directory">The directory to look in; it need not exist.</param>
    public IReadOnlyList<string> MissingIn(string directory) =>
        [.. Files.Where(file => file.FindIn(directory) is null).Select(file => file.Name)];

    /// <summary>Finds the files where <see cref="DatasetLocator"/> looks, and loads one split.</summary>
    /// <param name="split">The part to load.</param>
    /// <exception cref="FileNotFoundException">The set is nowhere; the message says where it was looked for and how to get it.</exception>
    /// <exception cref="InvalidDataException">A file is broken, or two do not fit together.</exception>
    public ImageDataset Load(DatasetSplit split) => Load(new DatasetLocator().Locate(this), split);

    /// <summary>Loads one split. The number of images is taken from the files; the published content is not required.</summary>
    /// <param name="directory">The directory with the files, named as published or without ".gz".</param>
    /// <param name="split">The part to load.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is broken, or two do not fit together.</exception>
    public abstract ImageDataset Load(string directory, DatasetSplit split);

    /// <summary>What the split is called in messages.</summary>
    private protected string NameOf(DatasetSplit split) => split == DatasetSplit.Train ? $"{Name} train" : $"{Name} test";

    private protected string Require(DatasetFile file, string directory) => file.FindIn(directory)
        ?? throw new FileNotFoundException($"{directory}: {file.Name} of {Title} is missing, compressed or not");
}
