using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public sealed class BatchingPredictorTests
{
    private const int Count = 40;

    private static readonly ImageDataset _dataset = TinyNetwork.Dataset(Count, 4);
    private static readonly ModelFile _model = Model();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(16)]
    public async Task Predict_FromManyThreads_GivesEachImageItsOwnResult(int maxBatch)
    {
        using BatchingPredictor predictor = Load(maxBatch);

        ImagePrediction[] predictions = await Task.WhenAll(Enumerable.Range(0, Count).Select(i =>
            Task.Run(() => predictor.PredictAsync(Image(i), Stop), Stop)));

        using Predictor one = Predictor.Load(TestDevice.Shared, _model, TinyNetwork.ImageSize, TinyNetwork.ImageSize);
        var logits = new float[Count * TinyNetwork.Classes];
        var maps = new float[Count * one.ClassMapShape.Count];
        one.Predict(_dataset.Images, logits, maps);
        // The dot products have up to 54 terms; a batch of another size may add them in another order.
        Tolerance tolerance = Tolerance.Of(1e-6, 54 * Math.Pow(2, -23), "float32 sums in any order");
        Comparison.Check<float>([.. predictions.SelectMany(p => p.Logits)], logits, [Count, TinyNetwork.Classes], tolerance, "logits");
        Comparison.Check<float>([.. predictions.SelectMany(p => p.ClassMaps)], maps, [Count, (int)one.ClassMapShape.Count], tolerance, "maps");
        Assert.Equal(Count, predictor.Images);
        Assert.InRange(predictor.Batches, (Count + maxBatch - 1) / maxBatch, Count);
        Assert.Equal(0, predictor.Waiting);
    }

    [Fact]
    public async Task Predict_MoreThanMayWait_IsRefused()
    {
        using BatchingPredictor predictor = Load(maxBatch: 1, queueCapacity: 2);
        List<Task<ImagePrediction>> taken = [];
        int refused = 0;
        for (int i = 0; refused == 0; i++)
        {
            Assert.True(i < 1_000_000, "the queue never was full");
            try
            {
                taken.Add(predictor.PredictAsync(Image(0), Stop));
            }
            catch (PredictionQueueFullException e)
            {
                Assert.Equal("2 images wait already, and no more may", e.Message);
                refused++;
            }
        }

        ImagePrediction[] predictions = await Task.WhenAll(taken);

        Assert.All(predictions, prediction => Assert.Equal(predictions[0].Logits, prediction.Logits));
    }

    [Fact]
    public async Task Predict_GivenUp_EndsAtOnce()
    {
        using BatchingPredictor predictor = Load(4);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => predictor.PredictAsync(Image(0), new CancellationToken(canceled: true)));

        Assert.Equal(TinyNetwork.Classes, (await predictor.PredictAsync(Image(0), Stop)).Logits.Length);
    }

    [Fact]
    public async Task Predict_WrongLength_IsRefused()
    {
        using BatchingPredictor predictor = Load(4);

        ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() => predictor.PredictAsync(new byte[3], Stop));

        Assert.Equal($"the image has 3 bytes, the network takes {predictor.ImageBytes}", e.Message);
    }

    [Fact]
    public async Task Dispose_FinishesWhatWasQueued()
    {
        BatchingPredictor predictor = Load(4);
        Task<ImagePrediction>[] queued = [.. Enumerable.Range(0, Count).Select(i => predictor.PredictAsync(Image(i), Stop))];

        predictor.Dispose();
        predictor.Dispose();

        Assert.All(queued, task => Assert.True(task.IsCompleted || !task.IsFaulted));
        Assert.Equal(Count, (await Task.WhenAll(queued)).Length);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => predictor.PredictAsync(Image(0), Stop));
    }

    private static BatchingPredictor Load(int maxBatch, int queueCapacity = 256) =>
        BatchingPredictor.Load(TestDevice.Shared, _model, TinyNetwork.ImageSize, TinyNetwork.ImageSize, maxBatch, queueCapacity);

    private static byte[] Image(int index) => _dataset.Image(index).ToArray();

    private static ModelFile Model()
    {
        var description = new ModelDescription(
            TinyNetwork.Architecture(), TinyNetwork.ImageSize, PixelStatistics.Measure(_dataset), _dataset.ClassNames);
        using var parameters = new ParameterStore(TestDevice.Shared, description.Architecture);
        parameters.Initialize(Initialization.Xavier, 3);
        return new ModelFile(description, parameters.DownloadValues());
    }
}
