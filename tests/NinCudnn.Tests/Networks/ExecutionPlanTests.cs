using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class ExecutionPlanTests
{
    private const int Batch = 5;
    private const float Rate = 0.05f;

    private static readonly PlanOptions _options = new()
    {
        Batch = Batch,
        Height = TinyNetwork.ImageSize,
        Width = TinyNetwork.ImageSize,
        Sgd = new SgdSettings(0.9, 0.01, Nesterov: true),
        Seed = 3,
    };

    private static readonly ImageDataset _dataset = TinyNetwork.Dataset(4 * Batch);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_ReplayedAndEager_AgreeToTheBit(bool hasAllOptions)
    {
        PlanOptions options = hasAllOptions ? _options with { LabelSmoothing = 0.1, ClipNorm = 0.5, EmaDecay = 0.9, Augmentation = new Augmentation(0.5, 2, 0.5) } : _options;
        var (eagerLosses, eagerParameters) = Train(options with { Replay = false }, 6);
        var (replayedLosses, replayedParameters) = Train(options, 6);

        Assert.Equal(eagerLosses, replayedLosses);
        Assert.Equal(eagerParameters, replayedParameters);
        Assert.Equal(6, eagerLosses.Distinct().Count());
    }

    [Fact]
    public void Run_OtherDropoutSeed_GivesOtherLosses()
    {
        // Of the first step only the mask differs, so the replayed masks really are drawn anew.
        var (losses, _) = Train(_options, 3);
        var (others, _) = Train(_options with { Seed = 4 }, 3);
        Assert.All(losses.Zip(others), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Fact]
    public void Run_Evaluation_LeavesDropoutOut()
    {
        float[] evaluated = Logits(TinyNetwork.Architecture(0.5), _options with { Mode = PlanMode.Evaluation });
        float[] trainedWithout = Logits(TinyNetwork.Architecture(0), _options with { Sgd = null });
        float[] trainedWith = Logits(TinyNetwork.Architecture(0.5), _options with { Sgd = null });

        Assert.Equal(trainedWithout, evaluated);
        Assert.NotEqual(trainedWith, evaluated);
    }

    [Fact]
    public void Run_Evaluation_ChangesNoParameterAndNoGradient()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { Mode = PlanMode.Evaluation });
        Dictionary<string, float[]> before = network.Parameters.DownloadValues();
        Step(network, 0);
        Assert.Equal(before, network.Parameters.DownloadValues());
        Assert.All(network.Parameters.DownloadGradients().Values, values => Assert.All(values, value => Assert.Equal(0, value)));
        Assert.DoesNotContain(network.Plan.Steps, step => step.Kind is PlanStepKind.Update or PlanStepKind.BackwardData);
    }

    [Fact]
    public void Run_WithoutOptimiser_ChangesNoParameter()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { Sgd = null });
        Dictionary<string, float[]> before = network.Parameters.DownloadValues();
        Step(network, 0);
        Assert.Equal(before, network.Parameters.DownloadValues());
        Assert.All(network.Parameters.DownloadGradients().Values, values => Assert.Contains(values, value => value != 0));
    }

    [Fact]
    public void Run_ManySteps_LeaveTheGapsBetweenTensorsZero()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        for (int i = 0; i < 4; i++)
            Step(network, i);

        bool[] isTensor = new bool[network.Parameters.FlatCount];
        foreach (Parameter parameter in network.Parameters.Parameters)
            Array.Fill(isTensor, true, (int)parameter.Offset, parameter.Count);
        Assert.Contains(false, isTensor);
        foreach (var memory in new[] { network.Parameters.Values, network.Parameters.Gradients, network.Parameters.Momentum })
            Assert.All(network.Download(memory).Where((_, i) => !isTensor[i]), value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_Step_AllocatesNoManagedMemory(bool replay)
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { Replay = replay });
        int[] indices = [0, 1, 2, 3, 4];
        Run(20); // until the libraries are warm, and the ring of inputs has gone round

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(50);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        network.Stream.Synchronize();

        Assert.Equal(0, allocated);

        void Run(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                network.StepInput.Send(new StepState(0.01f, i), indices);
                network.Plan.Run();
            }
        }
    }

    [Fact]
    public void Compile_Arena_IsSmallerThanTheSumOfTheTensors()
    {
        Architecture architecture = TinyNetwork.Architecture();
        long elements = 0;
        var input = new TensorShape(Batch, 1, TinyNetwork.ImageSize, TinyNetwork.ImageSize);
        elements += input.Count;
        foreach (var (layer, output) in architecture.Layers.Zip(architecture.InferShapes(Batch, TinyNetwork.ImageSize, TinyNetwork.ImageSize)))
        {
            // Each output and its gradient.
            elements += 2 * (layer is NinBlock block ? Architecture.Convolutions(block, input).Sum(c => c.Output.Count) : output.Count);
            input = output;
        }
        using NetworkFixture training = Create(architecture, _options), evaluation = Create(architecture, _options with { Mode = PlanMode.Evaluation });

        Assert.InRange(training.Plan.ArenaBytes, 1, elements * sizeof(float) - 1);
        Assert.InRange(evaluation.Plan.ArenaBytes, 1, training.Plan.ArenaBytes - 1);
    }

    [Fact]
    public void Compile_KeptOutputs_AreReadableAndDisjoint()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { KeepLayerOutputs = true, Sgd = null });
        Step(network, 0);

        var shapes = TinyNetwork.Architecture().InferShapes(Batch, TinyNetwork.ImageSize, TinyNetwork.ImageSize);
        var outputs = network.Plan.LayerOutputs;
        Assert.Equal(shapes.Select(shape => shape.Count * sizeof(float)), outputs.Select(output => output.Bytes));
        Assert.Equal(outputs[^2], outputs[^1]); // flatten moves nothing
        var places = outputs.SkipLast(1).OrderBy(output => output.Address.Value).ToArray();
        Assert.All(places.Zip(places.Skip(1)), pair => Assert.True(pair.First.Address.Value + (ulong)pair.First.Bytes <= pair.Second.Address.Value));

        float[] pooled = network.Download(outputs[1]), dropped = network.Download(outputs[2]);
        Assert.All(pooled.Zip(dropped), pair => Assert.True(pair.Second == 0 || pair.Second == 2 * pair.First)); // rate 0.5
    }

    [Fact]
    public void Compile_BatchLargerThanTheStepInput_IsRefused()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        using var arena = new NinCudnn.Devices.DeviceArena(network.Stream.Device);
        var resources = new PlanResources(network.Stream, network.Parameters, network.StepInput, network.Loss, arena, network.Parameters.Values);

        var error = Assert.Throws<ArgumentException>(() => ExecutionPlan.Compile(TinyNetwork.Architecture(), _options with { Batch = 6 }, resources));

        Assert.Equal("a batch of 6 needs room for as many indices, there is room for 5", error.Message);
        Assert.Equal(0, arena.Bytes);
    }

    [Fact]
    public void Compile_BatchBeyondCudnnsLimit_NamesTheLargest()
    {
        // The first convolution gives 96×54×54 elements per image.
        const int Largest = (int)(int.MaxValue / (96L * 54 * 54));
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        using var stepInput = new StepInput(network.Stream, Largest + 1);
        using var arena = new NinCudnn.Devices.DeviceArena(network.Stream.Device);
        var resources = new PlanResources(network.Stream, network.Parameters, stepInput, network.Loss, arena, network.Parameters.Values);

        var error = Assert.Throws<ArgumentException>(() =>
            ExecutionPlan.Compile(Architecture.Seed(1, 10), new PlanOptions { Batch = Largest + 1, Height = 224, Width = 224 }, resources));

        Assert.Equal($"a batch of {Largest + 1} makes tensors of 2³¹ elements and more, which cuDNN does not take; the largest is {Largest}", error.Message);
    }

    [Fact]
    public void Compile_ImageTooSmall_NamesTheLayer()
    {
        var error = Assert.Throws<ArgumentException>(() => Create(TinyNetwork.Architecture(), _options with { Height = 2, Width = 2 }));
        Assert.Contains("tiny on 2×2 images: layer 1 (max pool 3×3 stride 2): 3×3 window on 2×2 input", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_Steps_RunFromInputToUpdate()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        Assert.Equal(
            [
                "input Input", "0.0 Forward", "0.2 Forward", "0.4 Forward", "1 Forward", "2 Forward", "3.0 Forward", "3.2 Forward", "3.4 Forward", "4 Forward",
                "loss Loss", "loss Loss", "4 BackwardData",
                "3.4 BackwardBias", "3.4 BackwardFilter", "3.4 BackwardData", "3.2 BackwardBias", "3.2 BackwardFilter", "3.2 BackwardData",
                "3.0 BackwardBias", "3.0 BackwardFilter", "3.0 BackwardData", "2 BackwardData", "1 BackwardData",
                "0.4 BackwardBias", "0.4 BackwardFilter", "0.4 BackwardData", "0.2 BackwardBias", "0.2 BackwardFilter", "0.2 BackwardData",
                "0.0 BackwardBias", "0.0 BackwardFilter", "sgd Update", // the first layer needs no gradient towards the images
            ],
            network.Plan.Steps.Select(step => $"{step.Layer} {step.Kind}"));
        Assert.All(network.Plan.Steps, step => Assert.True(step.Bytes > 0));
    }

    [Theory]
    [InlineData(0.25)] // of the gradients' norm
    [InlineData(4)]
    public void Run_ClipNorm_ScalesTheStepDownToIt(double share)
    {
        PlanOptions plain = _options with { Sgd = new SgdSettings() };
        Dictionary<string, float[]> before, gradients, unclipped;
        using (NetworkFixture network = Create(TinyNetwork.Architecture(), plain))
        {
            before = network.Parameters.DownloadValues();
            Step(network, 0);
            (gradients, unclipped) = (network.Parameters.DownloadGradients(), network.Parameters.DownloadValues());
        }
        double norm = Math.Sqrt(gradients.Values.Sum(values => values.Sum(value => (double)value * value)));

        using NetworkFixture clipped = Create(TinyNetwork.Architecture(), plain with { ClipNorm = share * norm });
        Step(clipped, 0);

        if (share > 1)
            Assert.Equal(unclipped, clipped.Parameters.DownloadValues());
        double factor = Math.Min(1, share * norm / (norm + 1e-6));
        foreach (var (name, values) in clipped.Parameters.DownloadValues())
        {
            float[] expected = [.. before[name].Zip(gradients[name]).Select(pair => (float)(pair.First - Rate * factor * pair.Second))];
            Comparison.Check<float>(
                values, expected, [expected.Length],
                Tolerance.Of(Math.ScaleB(1, -26), Math.ScaleB(1, -22), "the factor, two products and the difference, each rounded"), name);
        }
        Assert.Equal(gradients, clipped.Parameters.DownloadGradients()); // they stay as they are
        Assert.Equal(["clip Update", "sgd Update"], clipped.Plan.Steps.TakeLast(2).Select(step => $"{step.Layer} {step.Kind}"));
    }

    [Fact]
    public void Run_EmaDecay_AveragesTheParameters()
    {
        const double Decay = 0.25; // the first three steps have less, (1 + step) / (10 + step)
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { EmaDecay = Decay });
        Dictionary<string, double[]> expected = network.Parameters.DownloadValues()
            .ToDictionary(tensor => tensor.Key, tensor => Array.ConvertAll(tensor.Value, value => (double)value));
        for (int step = 0; step < 5; step++)
        {
            Step(network, step);
            double d = Math.Min(Decay, (1.0 + step) / (10 + step));
            foreach (var (name, values) in network.Parameters.DownloadValues())
                expected[name] = [.. expected[name].Zip(values).Select(pair => d * pair.First + (1 - d) * pair.Second)];
        }

        foreach (var (name, values) in network.Average!.DownloadValues())
        {
            Comparison.Check<double>(
                Array.ConvertAll(values, value => (double)value), expected[name], [values.Length],
                Tolerance.Of(Math.ScaleB(1, -23), Math.ScaleB(1, -22), "five steps of three roundings, each forgotten at least by 1 - Decay"), name);
        }
        Assert.Equal("sgd Update", network.Plan.Steps.Select(step => $"{step.Layer} {step.Kind}").Single(step => step.EndsWith("Update", StringComparison.Ordinal)));
    }

    [Fact]
    public void Compile_EmaDecayWithoutAverage_IsRefused()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        using var arena = new NinCudnn.Devices.DeviceArena(network.Stream.Device);
        var resources = new PlanResources(network.Stream, network.Parameters, network.StepInput, network.Loss, arena, network.Parameters.Values);
        Assert.Equal(
            "a moving average needs a place among the plan's resources",
            Assert.Throws<ArgumentException>(() => ExecutionPlan.Compile(TinyNetwork.Architecture(), _options with { EmaDecay = 0.9 }, resources)).Message);
    }

    [Fact]
    public void Run_Augmentation_ChangesTrainingOnly()
    {
        var augmentation = new Augmentation(0.5, 2, 0.5);
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options with { Augmentation = augmentation });
        Assert.Equal(["augmentation Input", "input Input"], network.Plan.Steps.Take(2).Select(step => $"{step.Layer} {step.Kind}"));

        PlanOptions evaluation = _options with { Mode = PlanMode.Evaluation };
        Assert.NotEqual(Train(_options, 2).Losses, Train(_options with { Augmentation = augmentation }, 2).Losses);
        Assert.Equal(Train(_options, 2).Losses, Train(_options with { Augmentation = Augmentation.None }, 2).Losses);
        Assert.Equal(Train(evaluation, 2).Losses, Train(evaluation with { Augmentation = augmentation }, 2).Losses);
    }

    [Fact]
    public void Run_LabelSmoothing_CountsInTrainingOnly()
    {
        PlanOptions smooth = _options with { LabelSmoothing = 0.2 }, evaluation = _options with { Mode = PlanMode.Evaluation };
        Assert.NotEqual(Train(_options, 1).Losses, Train(smooth, 1).Losses);
        Assert.Equal(Train(evaluation, 1).Losses, Train(evaluation with { LabelSmoothing = 0.2 }, 1).Losses);
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), _options);
        Step(network, 0);
        network.Plan.Dispose();
        network.Plan.Dispose();
    }

    private static (double[] Losses, Dictionary<string, float[]> Parameters) Train(PlanOptions options, int steps)
    {
        using NetworkFixture network = Create(TinyNetwork.Architecture(), options);
        double[] losses = [.. Enumerable.Range(0, steps).Select(i => Step(network, i))];
        return (losses, (network.Average ?? network.Parameters).DownloadValues());
    }

    private static float[] Logits(Architecture architecture, PlanOptions options)
    {
        using NetworkFixture network = Create(architecture, options);
        Step(network, 0);
        return network.Download(network.Plan.Logits);
    }

    private static NetworkFixture Create(Architecture architecture, PlanOptions options)
    {
        var network = new NetworkFixture(architecture, options, _dataset);
        network.Parameters.Initialize(Initialization.He, 5);
        network.Average?.Initialize(Initialization.He, 5);
        return network;
    }

    private static double Step(NetworkFixture network, int step)
    {
        network.StepInput.Send(new StepState(Rate, step), [.. Enumerable.Range(step * Batch % _dataset.Count, Batch)]);
        network.Loss.Reset();
        network.Plan.Run();
        network.Loss.BeginRead();
        return network.Loss.EndRead().Loss;
    }
}
