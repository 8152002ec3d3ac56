using System.Formats.Tar;
using System.Security.Cryptography;
using NinCudnn.Data;

namespace NinCudnn.Tests.Data;

/// <summary>Makes CIFAR's files and archives for the tests.</summary>
internal static class CifarBytes
{
    public const int ImageBytes = 3072;

    /// <summary>A data set of a few records in CIFAR-100's form, and the archive that holds them.</summary>
    public static (CifarDataset Dataset, byte[] Archive) Small()
    {
        byte[] train = [.. Record(1, 3, 99), .. Record(2, 19, 0)], test = Record(3, 0, 42);
        var archive = Archive(File("set/train.bin", train), File("set/readme.html", "ignored"u8), File("set/test.bin", test));
        var dataset = KnownDatasets.Cifar100 with
        {
            Name = "small",
            TrainFiles = [new("train.bin", train.Length)],
            TestFiles = [new("test.bin", test.Length)],
        };
        return (Publish(dataset, archive), archive);
    }

    /// <summary>The same data set, published in another archive.</summary>
    public static CifarDataset Publish(CifarDataset dataset, byte[] archive) => dataset with
    {
        Archive = new("small.tar.gz", archive.Length, Convert.ToHexStringLower(SHA256.HashData(archive)), "set"),
    };

    /// <summary>Label bytes and the three planes: channel c of pixel p is <see cref="Pixel"/>.</summary>
    public static byte[] Record(int seed, params byte[] labels) =>
        [.. labels, .. Enumerable.Range(0, ImageBytes).Select(i => Pixel(seed, i / 1024, i % 1024))];

    public static byte Pixel(int seed, int channel, int pixel) => (byte)(seed * 31 + channel * 77 + pixel * 5 + pixel / 32);

    public static TarEntry File(string name, ReadOnlySpan<byte> content) =>
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content.ToArray()) };

    public static TarEntry Link(string name, string target, TarEntryType type = TarEntryType.SymbolicLink) =>
        new PaxTarEntry(type, name) { LinkName = target };

    public static byte[] Archive(params TarEntry[] entries)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, leaveOpen: true))
        {
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        }

        return IdxBytes.Gzip(stream.ToArray());
    }
}
