using NinCudnn.Data;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class DataRoomTests
{
    private const int SampleBytes = TinyNetwork.ImageSize * TinyNetwork.ImageSize + sizeof(int); // 148
    private const long NetworkBytes = 1_000_000;

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(5000), _testSet = TinyNetwork.Dataset(1000);

    // In samples: what is left beside the network. With batches of 100, a set that streams takes 200.
    [Theory]
    [InlineData(6000, DataPlacement.Resident, DataPlacement.Resident)]
    [InlineData(5999, DataPlacement.Stream, DataPlacement.Resident)]
    [InlineData(1200, DataPlacement.Stream, DataPlacement.Resident)]
    [InlineData(1199, DataPlacement.Stream, DataPlacement.Stream)]
    [InlineData(400, DataPlacement.Stream, DataPlacement.Stream)]
    [InlineData(0, DataPlacement.Stream, DataPlacement.Stream)] // fits in no way; this takes least
    public void Choose_Room_DecidesWhatStreams(int room, DataPlacement train, DataPlacement test)
    {
        var (placements, reason) = DataRoom.Choose(Free(room), NetworkBytes, 100, _trainSet, _testSet);
        Assert.Equal([train, test], placements);
        Assert.Equal(train == DataPlacement.Stream, reason is not null);
    }

    [Fact]
    public void Choose_LargeTestSet_StreamsInPlaceOfTheTrainingSet()
    {
        var (placements, _) = DataRoom.Choose(Free(1200), NetworkBytes, 100, _testSet, _trainSet);
        Assert.Equal([DataPlacement.Resident, DataPlacement.Stream], placements);
    }

    [Fact]
    public void Choose_NoMoreThanTwoBatches_DoesNotStream()
    {
        var (placements, reason) = DataRoom.Choose(Free(0), NetworkBytes, 500, _trainSet, _testSet);
        Assert.Equal([DataPlacement.Stream, DataPlacement.Resident], placements);
        Assert.NotNull(reason);
    }

    [Fact]
    public void Choose_Streaming_SaysWhatDoesNotFit()
    {
        var (_, reason) = DataRoom.Choose(Free(400), NetworkBytes, 100, _trainSet, _testSet);
        Assert.Equal("867.2 KiB of data and 976.6 KiB of tensors do not fit into the 1.0 MiB of device memory that can be used", reason);
    }

    [Theory]
    [InlineData(DataPlacement.Resident, 1000)]
    [InlineData(DataPlacement.Stream, 200)]
    [InlineData(DataPlacement.Auto, 200)]
    public void Bytes_SmallBatch_IsTheSetOrTwoBatches(DataPlacement placement, int samples) =>
        Assert.Equal(samples * SampleBytes, DataRoom.Bytes(_testSet, 100, placement));

    [Theory]
    [InlineData(DataPlacement.Stream, 2000)]
    [InlineData(DataPlacement.Auto, 1000)]
    public void Bytes_BatchOfAll_IsTheLess(DataPlacement placement, int samples) =>
        Assert.Equal(samples * SampleBytes, DataRoom.Bytes(_testSet, 10_000, placement));

    /// <summary>Free memory of which, 3% apart, so many samples' bytes are left beside the network.</summary>
    private static long Free(int samples) => (long)Math.Ceiling((NetworkBytes + (long)samples * SampleBytes) / 0.97);
}
