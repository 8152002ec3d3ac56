using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public sealed class EvaluatorTests : IDisposable
{
    private static readonly ImageDataset _dataset = TinyNetwork.Dataset(23, 4);
    private static readonly ModelDescription _model = new(
        TinyNetwork.Architecture(), TinyNetwork.ImageSize, PixelStatistics.Measure(_dataset), _dataset.ClassNames);

    private readonly DeviceStream _stream = TestDevice.Shared.CreateStream();
    private readonly DeviceArena _arena = new(TestDevice.Shared);
    private readonly ParameterStore _parameters = new(TestDevice.Shared, _model.Architecture);

    public EvaluatorTests() => _parameters.Initialize(Initialization.He, 9);

    public void Dispose()
    {
        _parameters.Dispose();
        _arena.Dispose();
        _stream.Dispose();
    }

    [Theory]
    [InlineData(5, DataPlacement.Auto)] // the last batch has three samples
    [InlineData(23, DataPlacement.Auto)]
    [InlineData(100, DataPlacement.Auto)]
    [InlineData(5, DataPlacement.Stream)]
    public void Evaluate_AnyBatchSize_EqualsTheLogitsComputedByHand(int batchSize, DataPlacement placement)
    {
        Dictionary<string, float[]> before = _parameters.DownloadValues();
        using Evaluator evaluator = Create(batchSize, placement);

        LossSummary summary = evaluator.Evaluate();

        var (lossSum, correct) = ByHand();
        Assert.Equal((correct, 23L), (summary.Correct, summary.Samples));
        // 23 losses near 1, each within the kernel's 2⁻¹⁹ and rounded to float32.
        Assert.Equal(lossSum, summary.LossSum, tolerance: 23 * Math.Pow(2, -18));
        Assert.Equal(before, _parameters.DownloadValues());
        Assert.Equal(summary, evaluator.Evaluate()); // again, replayed and from sums of zero
    }

    [Fact]
    public void Evaluate_AfterTheParametersChanged_MeasuresTheNewOnes()
    {
        using Evaluator evaluator = Create(8);
        LossSummary before = evaluator.Evaluate();
        _parameters.Initialize(Initialization.He, 10);
        Assert.NotEqual(before, evaluator.Evaluate());
    }

    [Fact]
    public void Evaluate_Progress_GoesToOne()
    {
        using Evaluator evaluator = Create(8);
        var shares = new List<double>();
        evaluator.Evaluate(shares.Add);
        Assert.Equal([1 / 3.0, 2 / 3.0, 1], shares);
    }

    [Theory]
    [InlineData(DataPlacement.Resident)]
    [InlineData(DataPlacement.Stream)]
    public void Evaluate_Stopped_ThrowsAndCanGoOn(DataPlacement placement)
    {
        using Evaluator evaluator = Create(8, placement);
        LossSummary expected = evaluator.Evaluate();
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => evaluator.Evaluate(_ => stop.Cancel(), stop: stop.Token));

        Assert.Equal(expected, evaluator.Evaluate());
    }

    [Fact]
    public void Evaluate_Streaming_GivesTheSameToTheBit()
    {
        using Evaluator resident = Create(4, DataPlacement.Resident), streaming = Create(4, DataPlacement.Stream);
        List<float> expected = [], actual = [];

        Assert.Equal(
            resident.Evaluate(logits: (_, logits) => expected.AddRange(logits)), streaming.Evaluate(logits: (_, logits) => actual.AddRange(logits)));

        Assert.Equal(23 * TinyNetwork.Classes, expected.Count);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Create_Placement_IsAsAskedOrOnTheDevice()
    {
        using Evaluator automatic = Create(4), resident = Create(4, DataPlacement.Resident), streaming = Create(4, DataPlacement.Stream);
        Assert.Equal(
            [DataPlacement.Resident, DataPlacement.Resident, DataPlacement.Stream], new[] { automatic.Placement, resident.Placement, streaming.Placement });
        Assert.All(new[] { automatic, resident, streaming }, evaluator => Assert.Null(evaluator.PlacementReason));
    }

    [Fact]
    public void Create_DataSetThatDoesNotFit_IsRefused()
    {
        ImageDataset coloured = TinyNetwork.Dataset(5, channels: 3);
        Assert.Throws<ArgumentException>(() => new Evaluator(_stream, _model, _parameters, _arena, coloured, 5));
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        Evaluator evaluator = Create(8);
        evaluator.Dispose();
        evaluator.Dispose();
    }

    private Evaluator Create(int batchSize, DataPlacement placement = DataPlacement.Auto) =>
        new(_stream, _model, _parameters, _arena, _dataset, batchSize, new ExecutionSettings { DataPlacement = placement });

    /// <summary>Logits from one plan over all samples at once; loss and answers from them in float64.</summary>
    private (double LossSum, long Correct) ByHand()
    {
        var options = new PlanOptions
        {
            Batch = _dataset.Count,
            Height = TinyNetwork.ImageSize,
            Width = TinyNetwork.ImageSize,
            Mode = PlanMode.Evaluation,
            Normalization = _model.Normalization,
        };
        using var network = new NetworkFixture(_model.Architecture, options, _dataset);
        network.Parameters.Load(_parameters.DownloadValues());
        network.StepInput.Send(default, [.. Enumerable.Range(0, _dataset.Count)]);
        network.Plan.Run();
        float[] logits = network.Download(network.Plan.Logits);

        double lossSum = 0;
        long correct = 0;
        for (int i = 0; i < _dataset.Count; i++)
        {
            double[] row = [.. logits.Skip(i * TinyNetwork.Classes).Take(TinyNetwork.Classes)];
            lossSum += Math.Log(row.Sum(Math.Exp)) - row[_dataset.Labels[i]];
            correct += Array.IndexOf(row, row.Max()) == _dataset.Labels[i] ? 1 : 0;
        }
        return (lossSum, correct);
    }
}
