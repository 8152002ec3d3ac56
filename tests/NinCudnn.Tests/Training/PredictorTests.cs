using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public sealed class PredictorTests : IDisposable
{
    private const int Count = 23;

    private static readonly ImageDataset _dataset = TinyNetwork.Dataset(Count, 4);
    private static readonly ModelDescription _model = new(
        TinyNetwork.Architecture(), TinyNetwork.ImageSize, PixelStatistics.Measure(_dataset), _dataset.ClassNames);

    private readonly DeviceStream _stream = TestDevice.Shared.CreateStream();
    private readonly DeviceArena _arena = new(TestDevice.Shared);
    private ParameterStore _parameters = Parameters(_model);

    public void Dispose()
    {
        _parameters.Dispose();
        _arena.Dispose();
        _stream.Dispose();
    }

    [Theory]
    [InlineData(5)] // the last batch has three images
    [InlineData(23)]
    [InlineData(100)]
    public void Predict_AnyBatchSize_EqualsTheEvaluation(int batchSize)
    {
        using Predictor predictor = Create(batchSize);
        var logits = new float[Count * TinyNetwork.Classes];
        predictor.Predict(_dataset.Images, logits);
        float[] first = [.. logits];
        logits.AsSpan().Fill(float.NaN);

        predictor.Predict(_dataset.Images, logits); // replayed

        Assert.Equal(first, logits);
        // The dot products have up to 54 terms; a batch of another size may add them in another order.
        Comparison.Check<float>(
            logits, Evaluated(Count), [Count, TinyNetwork.Classes], Tolerance.Of(1e-6, 54 * Math.Pow(2, -23), "float32 sums in any order"), $"batch {batchSize}");
    }

    [Fact]
    public void Predict_ImageAlone_IsAsAmongOthers()
    {
        using Predictor predictor = Create(4);
        var all = new float[4 * TinyNetwork.Classes];
        predictor.Predict(_dataset.Images[..(4 * predictor.ImageBytes)], all);

        var alone = new float[TinyNetwork.Classes];
        predictor.Predict(_dataset.Image(2), alone); // the rest of the batch is filled up

        Assert.Equal(all[(2 * TinyNetwork.Classes)..(3 * TinyNetwork.Classes)], alone);
    }

    [Fact]
    public void Load_AModel_GivesTheScoresOfItsParameters()
    {
        var expected = new float[TinyNetwork.Classes];
        using (Predictor predictor = Create(1))
            predictor.Predict(_dataset.Image(2), expected);

        using Predictor loaded = Predictor.Load(
            TestDevice.Shared, new ModelFile(_model, _parameters.DownloadValues()), _dataset.Height, _dataset.Width);
        var scores = new float[TinyNetwork.Classes];
        loaded.Predict(_dataset.Image(2), scores);

        Assert.Equal(expected, scores);
    }

    [Fact]
    public void Load_ModelThatLacksAParameter_Throws() => Assert.Throws<ArgumentException>(
        () => Predictor.Load(TestDevice.Shared, new ModelFile(_model, new Dictionary<string, float[]>()), _dataset.Height, _dataset.Width));

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void ClassMaps_OfEachImage_HaveTheScoresAsMeans(Precision precision)
    {
        _parameters.Dispose();
        _parameters = Parameters(_model, precision);
        using Predictor predictor = Create(5);
        int places = predictor.ClassMapShape.H * predictor.ClassMapShape.W;
        var logits = new float[Count * TinyNetwork.Classes];
        var maps = new float[Count * places * TinyNetwork.Classes];

        predictor.Predict(_dataset.Images, logits, maps);

        Assert.Equal((3, 3, 3), (predictor.ClassMapShape.C, predictor.ClassMapShape.H, predictor.ClassMapShape.W));
        var means = new float[logits.Length];
        for (int i = 0; i < means.Length; i++)
        {
            int image = i / TinyNetwork.Classes, c = i % TinyNetwork.Classes;
            means[i] = (float)Enumerable.Range(0, places).Average(place => (double)maps[(image * places + place) * TinyNetwork.Classes + c]);
        }
        Assert.True(logits.Distinct().Count() > 10, "the scores say nothing"); // in bfloat16 many are equal
        int fraction = precision switch { Precision.BFloat16 => 8, Precision.Float16 => 11, _ => 20 };
        Comparison.Check<float>(
            logits, means, [Count, TinyNetwork.Classes],
            Tolerance.Of(1e-7, Math.Pow(2, -fraction), "one rounding to the type; in float32, of a sum of 9 terms"), $"{precision}");
    }

    [Fact]
    public void Predict_ImagesOfAnotherSizeAndColours_AreResized()
    {
        ImageDataset colours = TinyNetwork.Dataset(6, channels: 3);
        var model = new ModelDescription(TinyNetwork.Architecture(inputChannels: 3), 15, PixelStatistics.Measure(colours), colours.ClassNames);
        using ParameterStore parameters = Parameters(model);
        using var large = new Predictor(_stream, model, parameters, _arena, TinyNetwork.ImageSize, TinyNetwork.ImageSize, 6);
        using var resized = new Predictor(_stream, model, parameters, _arena, 15, 15, 6);
        byte[] images = [.. Enumerable.Range(0, 6).SelectMany(i =>
            BilinearResize.Resize(colours.Image(i), TinyNetwork.ImageSize, TinyNetwork.ImageSize, 3, 15, 15))];
        float[] expected = new float[6 * TinyNetwork.Classes], actual = new float[6 * TinyNetwork.Classes];

        resized.Predict(images, expected);
        large.Predict(colours.Images, actual);

        Assert.Equal(expected, actual); // the device resizes as the host does, to the bit
    }

    [Fact]
    public void Predict_Again_AllocatesNothing()
    {
        using Predictor predictor = Create(5);
        var logits = new float[Count * TinyNetwork.Classes];
        var maps = new float[Count * (int)predictor.ClassMapShape.Count];
        for (int i = 0; i < 3; i++) // compiles, captures, and lets the runtime recompile
            predictor.Predict(_dataset.Images, logits, maps);
        long before = GC.GetAllocatedBytesForCurrentThread();

        predictor.Predict(_dataset.Images, logits, maps);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(0, -1, 0)]
    [InlineData(0, 0, -1)]
    public void Predict_LengthsThatDoNotFit_AreRefused(int imageBytes, int scores, int mapElements)
    {
        using Predictor predictor = Create(5);
        var images = new byte[2 * predictor.ImageBytes + imageBytes];
        var logits = new float[2 * TinyNetwork.Classes + scores];
        var maps = new float[2 * (int)predictor.ClassMapShape.Count + mapElements];
        Assert.Throws<ArgumentException>(() => predictor.Predict(images, logits, maps));
    }

    [Fact]
    public void Predict_NoImages_IsNothing()
    {
        using Predictor predictor = Create(5);
        predictor.Predict([], []);
    }

    [Fact]
    public void Create_BatchOfNone_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Create(0));

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        Predictor predictor = Create(5);
        predictor.Dispose();
        predictor.Dispose();
    }

    [Theory]
    [InlineData(5)]
    [InlineData(23)]
    public void Evaluator_Logits_ComeInOrderAndSayWhatTheSumsSay(int batchSize)
    {
        using var evaluator = new Evaluator(_stream, _model, _parameters, _arena, _dataset, batchSize);
        var matrix = new ConfusionMatrix(TinyNetwork.Classes);
        int next = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            matrix.Clear();
            next = 0;
            LossSummary summary = evaluator.Evaluate(logits: Count);
            Assert.Equal((summary.Samples, summary.Correct), (matrix.Samples, matrix.Correct));
            Assert.InRange(matrix.Correct, 1, PredictorTests.Count - 1);
        }

        void Count(int first, ReadOnlySpan<float> logits)
        {
            Assert.Equal(next, first);
            for (; logits.Length > 0; logits = logits[TinyNetwork.Classes..])
                matrix.Add(_dataset.Labels[next++], ClassScores.Best(logits[..TinyNetwork.Classes]));
        }
    }

    [Fact]
    public void Evaluator_StoppedBetweenLogits_StartsAgainAtTheFirst()
    {
        using var evaluator = new Evaluator(_stream, _model, _parameters, _arena, _dataset, 5);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => evaluator.Evaluate(_ => stop.Cancel(), (_, _) => { }, stop.Token));

        var firsts = new List<int>();
        evaluator.Evaluate(logits: (first, _) => firsts.Add(first));

        Assert.Equal([0, 5, 10, 15, 20], firsts);
    }

    private static ParameterStore Parameters(ModelDescription model, Precision precision = Precision.Float32)
    {
        var parameters = new ParameterStore(TestDevice.Shared, model.Architecture, precision);
        parameters.Initialize(Initialization.He, 9);
        return parameters;
    }

    private Predictor Create(int batchSize) =>
        new(_stream, _model, _parameters, _arena, TinyNetwork.ImageSize, TinyNetwork.ImageSize, batchSize);

    private float[] Evaluated(int batchSize)
    {
        using var evaluator = new Evaluator(_stream, _model, _parameters, _arena, _dataset, batchSize);
        var all = new float[Count * TinyNetwork.Classes];
        evaluator.Evaluate(logits: (first, logits) => logits.CopyTo(all.AsSpan(first * TinyNetwork.Classes)));
        return all;
    }
}
