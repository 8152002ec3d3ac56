using NinCudnn.Data;
using NinCudnn.Tests.Data;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>IDX files of images and of labels, plain and compressed.</summary>
internal sealed class IdxTarget() : FuzzTarget<IdxTensor>("idx")
{
    private const int LargestDeflateRatio = 1032;

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        IdxBytes.Images(4, 3, 5), IdxBytes.Labels(0, 9, 5, 3), IdxBytes.Gzip(IdxBytes.Images(2, 28, 28)), IdxBytes.Gzip(IdxBytes.Labels(1, 2, 3)),
        IdxBytes.Gzip(IdxBytes.Of(8, [100, 30, 30], new byte[90_000])), // compressed as far as that goes
    ];

    protected override IdxTensor Read(string path)
    {
        try
        {
            return IdxFile.Read(path, rank: 3);
        }
        catch (InvalidDataException e) when (e.Message.Contains("expected 3", StringComparison.Ordinal))
        {
            return IdxFile.Read(path, rank: 1);
        }
    }

    protected override void Check(IdxTensor value, string path, byte[] input)
    {
        Assert.All(value.Shape, size => Assert.True(size >= 1));
        byte[] again = IdxBytes.Of(8, [.. value.Shape.Select(size => (uint)size)], value.Values);
        Assert.Equal(input is [0x1f, 0x8b, ..] ? Ungzip(input) : input, again);
    }

    protected override long MaxAllocated(int inputBytes) => base.MaxAllocated(inputBytes) + LargestDeflateRatio * (long)inputBytes;

    private static byte[] Ungzip(byte[] input)
    {
        using var stream = new System.IO.Compression.GZipStream(new MemoryStream(input), System.IO.Compression.CompressionMode.Decompress);
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
