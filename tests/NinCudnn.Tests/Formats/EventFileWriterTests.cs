using System.Buffers.Binary;
using System.Globalization;
using NinCudnn.Formats;
using NinCudnn.Formats.TensorBoard;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Formats;

public sealed class EventFileWriterTests : IDisposable
{
    private static readonly byte[] _png = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3];

    private readonly TemporaryDirectory _directory = new();

    private string Run => _directory.File("runs/first");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Create_NewRun_IsNamedByTimeAndHostAndBeginsWithTheVersion()
    {
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        using EventFileWriter writer = EventFileWriter.Create(Run);
        long after = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        string[] parts = Path.GetFileName(writer.Path).Split('.', count: 5);
        Assert.Equal(Run, Path.GetDirectoryName(writer.Path));
        Assert.Equal(["events", "out", "tfevents"], parts[..3]);
        Assert.InRange(long.Parse(parts[3], CultureInfo.InvariantCulture), before, after);
        Assert.Equal(Environment.MachineName, parts[4]);
        Event first = Assert.Single(Read(writer.Path));
        Assert.Equal("brain.Event:2", first.FileVersion);
        Assert.InRange(first.WallTime, before, after + 1);
    }

    [Fact]
    public void Create_SeveralInOneSecond_GiveAFileEach()
    {
        using EventFileWriter first = EventFileWriter.Create(Run), second = EventFileWriter.Create(Run), third = EventFileWriter.Create(Run);
        second.Scalar("a", 1, 2);

        Assert.Equal(3, new[] { first.Path, second.Path, third.Path }.Distinct().Count());
        Assert.Equal([1, 2, 1], new[] { first, second, third }.Select(writer => Read(writer.Path).Count));
        Assert.All(_directory.Files(), file => Assert.Contains("tfevents", file, StringComparison.Ordinal)); // by which TensorBoard knows them
    }

    [Fact]
    public void Scalar_Values_AreReadBack()
    {
        float[] values = [0, -1.5f, float.NaN, float.PositiveInfinity, float.Epsilon];
        using (EventFileWriter writer = EventFileWriter.Create(Run))
        {
            for (int i = 0; i < values.Length; i++)
                writer.Scalar("loss/train", i * 1_000_000_000_000L, values[i]);
        }

        List<Event> events = Read();
        Assert.Equal(values.Length + 1, events.Count);
        for (int i = 0; i < values.Length; i++)
        {
            Summary.Types.Value value = Assert.Single(events[i + 1].Summary.Value);
            Assert.Equal((i * 1_000_000_000_000L, "loss/train"), (events[i + 1].Step, value.Tag));
            Assert.Equal(Summary.Types.Value.ValueOneofCase.SimpleValue, value.ValueCase); // 0 too is written
            Assert.Equal(values[i], value.SimpleValue);
            Assert.InRange(events[i + 1].WallTime, events[i].WallTime, events[i].WallTime + 600);
        }
    }

    [Fact]
    public void Scalar_Message_HasTheFormatsBytes()
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        writer.Scalar("ab", 5, 1);

        byte[] data = Records(writer.Path)[1];
        // Field 1 (double): the time. Field 2 (varint): the step. Field 5: a summary with one value (field 1): tag (1), float (2).
        Assert.Equal(0x09, data[0]);
        Assert.Equal([0x10, 5, 0x2A, 11, 0x0A, 9, 0x0A, 2, (byte)'a', (byte)'b', 0x15, 0, 0, 0x80, 0x3F], data[9..]);
    }

    [Fact]
    public void Image_Png_IsReadBack()
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        writer.Image("filters", 3, height: 11, width: 22, channels: 3, _png);

        Event item = Read(writer.Path)[1];
        Summary.Types.Image image = Assert.Single(item.Summary.Value).Image;
        Assert.Equal((3, "filters"), (item.Step, item.Summary.Value[0].Tag));
        Assert.Equal((11, 22, 3), (image.Height, image.Width, image.Colorspace));
        Assert.Equal(_png, image.EncodedImageString.ToByteArray());
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 1, 5)]
    public void Image_Impossible_IsRefused(int height, int width, int channels)
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        Assert.Throws<ArgumentException>(() => writer.Image("x", 0, height, width, channels, _png));
        Assert.Throws<ArgumentException>(() => writer.Image("x", 0, 1, 1, 1, _png.AsSpan(1)));
        Assert.Single(Read(writer.Path)); // nothing was written
    }

    [Fact]
    public void Write_WithoutTag_IsRefused()
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        Assert.Throws<ArgumentException>(() => writer.Scalar("", 0, 0));
        Assert.Throws<ArgumentException>(() => writer.Histogram("", 0, []));
        Assert.Single(Read(writer.Path));
    }

    [Fact]
    public void Histogram_Values_HaveTheirFigures()
    {
        float[] values = [.. TestNumbers.Uniform(10_000, -3, 5, seed: 1), -3, 5, 5, 0];
        HistogramProto histogram = Histogram(values);

        Assert.Equal((-3, 5, values.Length), (histogram.Min, histogram.Max, histogram.Num));
        Assert.Equal(values.Sum(value => (double)value), histogram.Sum, 1e-6);
        Assert.Equal(values.Sum(value => (double)value * value), histogram.SumSquares, 1e-6);
        Assert.Equal(30, histogram.BucketLimit.Count);
        Assert.Equal(histogram.Num, histogram.Bucket.Sum());
        Assert.Equal(histogram.BucketLimit.Order(), histogram.BucketLimit);
        Assert.Equal(5, histogram.BucketLimit[^1]);
        for (int i = 0; i < 30; i++)
        {
            double from = i == 0 ? histogram.Min : histogram.BucketLimit[i - 1], to = histogram.BucketLimit[i];
            Assert.Equal(8 / 30.0, to - from, 1e-12);
            Assert.Equal(values.Count(value => value >= from && (value < to || i == 29)), histogram.Bucket[i]);
        }
    }

    [Fact]
    public void Histogram_ValuesOnTheLimits_BelongToTheIntervalAbove()
    {
        float[] values = [.. Enumerable.Range(0, 31).Select(i => (float)i)]; // the limits are 1, 2, …, 30
        HistogramProto histogram = Histogram(values);

        Assert.Equal(Enumerable.Range(1, 30).Select(i => (double)i), histogram.BucketLimit);
        Assert.Equal([.. Enumerable.Repeat(1.0, 29), 2], histogram.Bucket);
    }

    [Theory]
    [InlineData(float.MinValue, float.MaxValue)]
    [InlineData(0, float.Epsilon)]
    [InlineData(1, 1.0000001f)]
    public void Histogram_ExtremeRange_LosesNoValue(float low, float high)
    {
        HistogramProto histogram = Histogram([low, high, low]);

        Assert.Equal((low, high), (histogram.Min, histogram.Max));
        Assert.Equal((2, 1), (histogram.Bucket[0], histogram.Bucket[29]));
        Assert.All(histogram.BucketLimit, limit => Assert.True(double.IsFinite(limit)));
    }

    [Fact]
    public void Histogram_EqualValues_MakeOneInterval()
    {
        HistogramProto histogram = Histogram([2.5f, 2.5f, 2.5f]);

        Assert.Equal((2.5, 2.5, 3, 7.5, 18.75), (histogram.Min, histogram.Max, histogram.Num, histogram.Sum, histogram.SumSquares));
        Assert.Equal([2.5], histogram.BucketLimit);
        Assert.Equal([3], histogram.Bucket);
    }

    [Fact]
    public void Histogram_NotFinite_IsLeftOut()
    {
        HistogramProto histogram = Histogram([float.NaN, 1, float.PositiveInfinity, -1, float.NegativeInfinity]);

        Assert.Equal((-1, 1, 2, 0, 2), (histogram.Min, histogram.Max, histogram.Num, histogram.Sum, histogram.SumSquares));
        Assert.Equal(2, histogram.Bucket.Sum());
    }

    [Theory]
    [InlineData]
    [InlineData(float.NaN, float.NegativeInfinity)]
    public void Histogram_NoFiniteValue_IsAllZero(params float[] values) => Assert.Equal(new HistogramProto(), Histogram(values));

    [Fact]
    public void Write_EveryCall_IsInTheFileAtOnce()
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        long last = new FileInfo(writer.Path).Length;
        for (int i = 0; i < 5; i++)
        {
            byte[] before = ReadShared(writer.Path);
            writer.Scalar("x", i, i);
            byte[] after = ReadShared(writer.Path);
            Assert.Equal(i, Read(writer.Path)[^1].Step);
            Assert.Equal(before, after[..before.Length]); // only appended to
            Assert.True(after.Length > last);
            last = after.Length;
        }
    }

    [Fact]
    public void Write_CutAnywhere_LeavesAllWholeRecordsReadable()
    {
        using (EventFileWriter writer = EventFileWriter.Create(Run))
        {
            writer.Scalar("x", 1, 1);
            writer.Scalar("x", 2, 2);
        }
        byte[] file = File.ReadAllBytes(Directory.GetFiles(Run).Single());
        int[] ends = [.. Ends(file)];

        for (int length = 0; length <= file.Length; length++)
            Assert.Equal(ends.Count(end => end <= length), WholeRecords(file.AsSpan(0, length)).Count);
    }

    [Fact]
    public void Dispose_Twice_IsSafeAndEndsWriting()
    {
        EventFileWriter writer = EventFileWriter.Create(Run);
        writer.Dispose();
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.Scalar("x", 0, 0));
    }

    [Theory] // RFC 3720, appendix B.4, and the usual check value
    [InlineData("", 0x00000000)]
    [InlineData("313233343536373839", 0xE3069283)]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", 0x8A9136AA)]
    [InlineData("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 0x62A8AB43)]
    [InlineData("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", 0x46DD794E)]
    public void Crc32C_KnownVectors_AreMet(string hex, uint expected)
    {
        Assert.Equal(expected, EventRecord.Crc32C(Convert.FromHexString(hex)));
        Assert.Equal(expected, PlainCrc32C(Convert.FromHexString(hex)));
    }

    [Fact]
    public void Crc32C_AnyLength_EqualsTheDefinition()
    {
        for (int length = 0; length < 40; length++)
        {
            byte[] data = TestNumbers.Bytes(length, (ulong)length);
            Assert.Equal(PlainCrc32C(data), EventRecord.Crc32C(data));
        }
    }

    private HistogramProto Histogram(float[] values)
    {
        using EventFileWriter writer = EventFileWriter.Create(Run);
        writer.Histogram("weights", 7, values);
        Event item = Read(writer.Path)[1];
        Assert.Equal((7, "weights"), (item.Step, Assert.Single(item.Summary.Value).Tag));
        return item.Summary.Value[0].Histo;
    }

    private List<Event> Read() => Read(Directory.GetFiles(Run).Single());

    private static List<Event> Read(string path) => [.. Records(path).Select(Event.Parser.ParseFrom)];

    /// <summary>The data of all records of a file that holds nothing else.</summary>
    private static List<byte[]> Records(string path)
    {
        byte[] file = ReadShared(path);
        List<byte[]> records = WholeRecords(file);
        Assert.Equal(file.Length, records.Sum(record => record.Length + 16));
        return records;
    }

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static IEnumerable<int> Ends(byte[] file)
    {
        int end = 0;
        foreach (byte[] record in WholeRecords(file))
            yield return end += record.Length + 16;
    }

    /// <summary>A reader of its own, written from the format's definition: stops at the first record that is cut, fails on a wrong checksum.</summary>
    private static List<byte[]> WholeRecords(ReadOnlySpan<byte> file)
    {
        var records = new List<byte[]>();
        while (file.Length >= 12)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file);
            Assert.Equal(PlainMask(PlainCrc32C(file[..8])), BinaryPrimitives.ReadUInt32LittleEndian(file[8..]));
            if ((ulong)file.Length < length + 16)
                break;
            ReadOnlySpan<byte> data = file.Slice(12, (int)length);
            Assert.Equal(PlainMask(PlainCrc32C(data)), BinaryPrimitives.ReadUInt32LittleEndian(file[(12 + (int)length)..]));
            records.Add(data.ToArray());
            file = file[(16 + (int)length)..];
        }
        return records;
    }

    /// <summary>Bit by bit, with the polynomial reflected.</summary>
    private static uint PlainCrc32C(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return crc ^ 0xFFFFFFFF;
    }

    private static uint PlainMask(uint crc) => ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
}
