namespace NinCudnn.Data;

/// <summary>
/// A user's own images: a folder with one folder of images per class, or with the folders "train" and "test" (or "val") which have these.
/// The classes are ordered by name (ordinal), the images by path. Names that begin with a dot and files of other kinds are passed over.
/// </summary>
public sealed class ImageFolder
{
    private static readonly string[] _testNames = ["test", "val"];

    private readonly IReadOnlyList<ImageFile> _train;
    private readonly IReadOnlyList<ImageFile> _test;

    private ImageFolder(string directory, IReadOnlyList<string> classNames, IReadOnlyList<ImageFile> train, IReadOnlyList<ImageFile> test)
    {
        FullPath = directory;
        _train = train;
        _test = test;
        ClassNames = classNames;
        Name = Path.GetFileName(directory);
    }

    /// <summary>The folder's path.</summary>
    public string FullPath { get; }

    /// <summary>The folder's own name.</summary>
    public string Name { get; }

    /// <summary>The names of the classes' folders; a label is an index into this list.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Lists a folder's images without reading them.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="split">How to divide a folder without "train" and "test"; the default if null.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="InvalidDataException">The folder is not made so, or a class has no image; the message says what is wrong where.</exception>
    /// <exception cref="ArgumentException">A split is given, but the folder has its own; or its fraction is out of range.</exception>
    public static ImageFolder Open(string directory, FolderSplit? split = null)
    {
        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"{directory} {(File.Exists(directory) ? "is a file, not a folder" : "does not exist")}");

        var testName = _testNames.FirstOrDefault(name => Directory.Exists(Path.Combine(directory, name)));
        if (testName is not null && Directory.Exists(Path.Combine(directory, "train")))
        {
            if (split is not null)
                throw new ArgumentException($"{directory} has the folders train and {testName}, so there is nothing to split");
            var (trainNames, train) = ListClasses(directory, "train");
            var (testNames, test) = ListClasses(directory, testName);
            if (trainNames.Except(testNames).Concat(testNames.Except(trainNames)).FirstOrDefault() is { } lonely)
                throw new InvalidDataException($"{directory}: the class {lonely} is only in one of the folders train and {testName}");
            return new ImageFolder(directory, trainNames, train, test);
        }

        var (names, images) = ListClasses(directory, "");
        var division = split ?? new FolderSplit();
        var testImages = images.GroupBy(image => image.Label).SelectMany(group => division.TestImages([.. group])).ToHashSet();
        return new ImageFolder(
            directory, names, [.. images.Where(image => !testImages.Contains(image))], [.. images.Where(testImages.Contains)]);
    }

    /// <summary>The images of one split, in the order of their paths.</summary>
    public IReadOnlyList<ImageFile> Images(DatasetSplit split) => split == DatasetSplit.Train ? _train : _test;

    /// <summary>Decodes one split, or takes it from the cache.</summary>
    /// <param name="split">The part to load.</param>
    /// <param name="options">The images' form, and what to report.</param>
    /// <param name="limit">Load only so many images, a random choice that is the same every time; null for all.</param>
    /// <param name="cancellationToken">Stops the decoding.</param>
    /// <exception cref="InvalidDataException">The split is empty or too large, or a file cannot be decoded.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ImageDataset Load(
        DatasetSplit split, ImageFolderOptions options, int? limit = null, CancellationToken cancellationToken = default)
    {
        var images = Images(split);
        if (limit < images.Count)
            images = [.. FolderSplit.InRandomOrder(images, seed: 0).Take(limit.Value).OrderBy(image => image.RelativePath, StringComparer.Ordinal)];
        var part = split == DatasetSplit.Train ? "train" : "test";
        if (images.Count == 0)
            throw new InvalidDataException($"{FullPath}: the split leaves no {part} images");

        var loaded = ImageLoader.Load(FullPath, images, options, cancellationToken);
        var labels = images.Where((_, i) => loaded.IsDecoded[i]).Select(image => image.Label).ToArray();
        if (labels.Length == 0)
            throw new InvalidDataException($"{FullPath}: none of the {images.Count} {part} images can be decoded");
        if (labels.Length < images.Count)
            options.Note?.Invoke($"{images.Count - labels.Length} of {images.Count} {part} images can't be decoded and were skipped");
        var dataset = new ImageDataset($"{Name} {part}", loaded.Pixels, labels, options.Height, options.Width, loaded.Channels, ClassNames);
        return options.Channels == 3 ? dataset.WithThreeChannels() : dataset;
    }

    /// <summary>Loads both splits, with the same number of channels: grey images get three equal ones if the other split has colours.</summary>
    /// <param name="options">The images' form, and what to report.</param>
    /// <param name="trainLimit">As <see cref="Load"/>'s limit.</param>
    /// <param name="testLimit">As <see cref="Load"/>'s limit.</param>
    /// <param name="cancellationToken">Stops the decoding.</param>
    /// <inheritdoc cref="Load" path="/exception"/>
    public (ImageDataset Train, ImageDataset Test) LoadBoth(
        ImageFolderOptions options, int? trainLimit = null, int? testLimit = null, CancellationToken cancellationToken = default)
    {
        var train = Load(DatasetSplit.Train, options, trainLimit, cancellationToken);
        var test = Load(DatasetSplit.Test, options, testLimit, cancellationToken);
        return train.Channels == test.Channels ? (train, test) : (train.WithThreeChannels(), test.WithThreeChannels());
    }

    /// <summary>Lists <c>root/part/class/image</c>.</summary>
    private static (string[] Names, List<ImageFile> Images) ListClasses(string root, string part)
    {
        var directory = Path.Combine(root, part);
        string[] names = [.. FolderNames(directory).Order(StringComparer.Ordinal)];
        if (names.Length == 0)
            throw new InvalidDataException($"{directory} holds no folders; it must hold one folder of images per class");
        if (names.Length == 1)
            throw new InvalidDataException($"{directory} holds only the class {names[0]}; there must be two or more folders of images");
        if (names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new InvalidDataException($"{directory}: the classes {string.Join(" and ", same)} differ only in upper and lower case");
        if (names.Length > ushort.MaxValue + 1)
            throw new InvalidDataException($"{directory} holds {names.Length} folders; there can be {ushort.MaxValue + 1} classes");

        var images = new List<ImageFile>();
        for (var label = 0; label < names.Length; label++)
        {
            var path = Path.Combine(directory, names[label]);
            if (FolderNames(path).Order(StringComparer.Ordinal).FirstOrDefault() is { } deeper)
                throw new InvalidDataException($"{path} holds the folder {deeper}; a class's folder must hold nothing but images");
            var before = images.Count;
            images.AddRange(ListImages(path, $"{(part.Length > 0 ? part + "/" : "")}{names[label]}", (ushort)label));
            if (images.Count == before)
                throw new InvalidDataException($"{path} holds no images ({string.Join(", ", ImageDecoder.Extensions)})");
        }

        images.Sort((a, b) => string.CompareOrdinal(a.RelativePath, b.RelativePath));
        return (names, images);
    }

    private static IEnumerable<string> FolderNames(string directory) =>
        Directory.EnumerateDirectories(directory).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.'));

    private static IEnumerable<ImageFile> ListImages(string directory, string relativePath, ushort label) =>
        from file in new DirectoryInfo(directory).EnumerateFiles()
        where !file.Name.StartsWith('.') && ImageDecoder.Extensions.Contains(file.Extension, StringComparer.OrdinalIgnoreCase)
        let content = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file
        select new ImageFile($"{relativePath}/{file.Name}", label, content.Length, content.LastWriteTimeUtc);
}
