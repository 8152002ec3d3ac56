using NinCudnn.Data;
using NinCudnn.Tests.Data;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>CIFAR-100's records.</summary>
internal sealed class CifarTarget() : FuzzTarget<ImageDataset>("cifar")
{
    private const int PlaneBytes = CifarBytes.ImageBytes / 3;

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [CifarBytes.Record(1, 3, 99), [.. CifarBytes.Record(2, 19, 0), .. CifarBytes.Record(3, 0, 42)]];

    public override string FileName => "test.bin";

    protected override ImageDataset Read(string path) => KnownDatasets.Cifar100.Load(Path.GetDirectoryName(path)!, DatasetSplit.Test);

    protected override void Check(ImageDataset value, string path, byte[] input)
    {
        int recordBytes = 2 + CifarBytes.ImageBytes;
        Assert.Equal(input.Length, value.Count * recordBytes);
        for (int i = 0; i < value.Count; i++)
        {
            ReadOnlySpan<byte> record = input.AsSpan(i * recordBytes, recordBytes);
            Assert.InRange(record[0], 0, 19);
            Assert.InRange(value.Labels[i], 0, 99);
            Assert.Equal(record[1], value.Labels[i]);
            ReadOnlySpan<byte> image = value.Image(i);
            var planes = new byte[CifarBytes.ImageBytes];
            for (int j = 0; j < planes.Length; j++)
                planes[j % 3 * PlaneBytes + j / 3] = image[j];
            Assert.Equal(record[2..].ToArray(), planes);
        }
    }

    protected override long MaxAllocated(int inputBytes) => base.MaxAllocated(inputBytes) + (1 << 20); // its buffer
}
