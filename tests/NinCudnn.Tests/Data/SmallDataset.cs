using System.Security.Cryptography;
using NinCudnn.Data;

namespace NinCudnn.Tests.Data;

/// <summary>A data set of a few tiny images with the usual file names.</summary>
internal static class SmallDataset
{
    private static readonly (string Name, byte[] Content)[] _files =
    [
        ("train-images-idx3-ubyte.gz", IdxBytes.Images(4, 3, 5)),
        ("train-labels-idx1-ubyte.gz", IdxBytes.Labels(0, 9, 5, 3)),
        ("t10k-images-idx3-ubyte.gz", IdxBytes.Images(2, 3, 5)),
        ("t10k-labels-idx1-ubyte.gz", IdxBytes.Labels(1, 2)),
    ];

    /// <summary>The four contents by published name.</summary>
    public static IReadOnlyDictionary<string, byte[]> Contents => _files.ToDictionary(file => file.Name, file => file.Content);

    /// <summary>Its description, with the files' true hashes.</summary>
    public static IdxDataset Description { get; } = KnownDatasets.FashionMnist with
    {
        Name = "small",
        Title = "Small",
        TrainImages = File(_files[0].Name, _files[0].Content),
        TrainLabels = File(_files[1].Name, _files[1].Content),
        TestImages = File(_files[2].Name, _files[2].Content),
        TestLabels = File(_files[3].Name, _files[3].Content),
    };

    public static DatasetFile File(string name, byte[] content) =>
        new(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));

    public static void Write(TemporaryDirectory directory, string subdirectory, bool isGzip)
    {
        foreach (var (name, content) in _files)
        {
            if (isGzip)
                directory.Write(Path.Combine(subdirectory, name), IdxBytes.Gzip(content));
            else
                directory.Write(Path.Combine(subdirectory, Path.GetFileNameWithoutExtension(name)), content);
        }
    }
}
