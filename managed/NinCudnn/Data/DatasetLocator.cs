namespace NinCudnn.Data;

/// <summary>
/// Finds the directory that holds a data set's files. Without an explicit directory the search goes, in this order, through the
/// directory in the environment variable NIN_DATA, ./data and Debian's /usr/share/datasets; in each of them a subdirectory
/// named after the data set, or after the folder in its archive, goes before the directory itself.
/// </summary>
public sealed record DatasetLocator
{
    /// <summary>The environment variable that names a data directory.</summary>
    public const string EnvironmentVariable = "NIN_DATA";

    /// <summary>The value of NIN_DATA, null or empty if unset.</summary>
    public string? EnvironmentDirectory { get; init; } = Environment.GetEnvironmentVariable(EnvironmentVariable);

    /// <summary>The directory that contains "data".</summary>
    public string WorkingDirectory { get; init; } = Directory.GetCurrentDirectory();

    /// <summary>Where the distribution installs data sets.</summary>
    public string SystemDirectory { get; init; } = "/usr/share/datasets";

    /// <summary>Returns the directory with all files.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="directory">The only directory to look in, with or without a subdirectory named after the set; null to search.</param>
    /// <exception cref="FileNotFoundException">It is nowhere; the message says where it was looked for and how to get it.</exception>
    public string Locate(KnownDataset dataset, string? directory = null)
    {
        if (Find(dataset, directory) is { } found)
            return found;
        var places = Places(dataset, directory);
        throw new FileNotFoundException(directory is not null ? MissingMessage(dataset, places) : NotFoundMessage(dataset, places));
    }

    /// <summary>As <see cref="Locate"/>, but returns null if the set is nowhere.</summary>
    public string? Find(KnownDataset dataset, string? directory = null) =>
        Places(dataset, directory).FirstOrDefault(place => dataset.MissingIn(place).Count == 0);

    private string[] Places(KnownDataset dataset, string? directory)
    {
        var roots = directory is not null ? [directory] : SearchRoots();
        string[] subdirectories = dataset.Archive is { } archive ? [dataset.Name, archive.Folder] : [dataset.Name];
        return [.. roots.SelectMany(root => subdirectories.Select(name => Path.Combine(root, name)).Append(root))];
    }

    private List<string> SearchRoots()
    {
        var roots = new List<string>();
        if (!string.IsNullOrEmpty(EnvironmentDirectory))
            roots.Add(EnvironmentDirectory);
        roots.Add(Path.Combine(WorkingDirectory, "data"));
        roots.Add(SystemDirectory);
        return roots;
    }

    private static string MissingMessage(KnownDataset dataset, string[] places)
    {
        // A subdirectory is meant where it exists.
        var place = places.FirstOrDefault(Directory.Exists, places[^1]);
        return $"{dataset.Title}: {Finding(dataset, place)}; {Advice(dataset)}";
    }

    private static string NotFoundMessage(KnownDataset dataset, string[] places) =>
        $"{dataset.Title} not found: {string.Join("; ", places.Select(place => Finding(dataset, place)))}; {Advice(dataset)}";

    private static string Finding(KnownDataset dataset, string place) => Directory.Exists(place)
        ? $"{place} lacks {string.Join(", ", dataset.MissingIn(place))}"
        : $"{place} does not exist";

    private static string Advice(KnownDataset dataset)
    {
        var fetch = $"get it with 'nin data fetch --dataset {dataset.Name}'";
        return dataset.DebianPackage is { } package ? $"{fetch} or 'apt-get install {package}'" : fetch;
    }
}
