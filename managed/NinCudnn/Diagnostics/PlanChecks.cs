using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Diagnostics;

/// <summary>Whole networks: captured plans, and training.</summary>
internal static class PlanChecks
{
    private const string Group = "plan";
    private const int Classes = 3;

    public static IEnumerable<Check> Create() =>
    [
        new(
            Group, "capture and replay", null,
            "Look at failed operators first; if there are none, update the driver and cuDNN, whose CUDA graphs are not sound.", Replay),
        new(Group, "training", null, "Look at failed operators first; if there are none, report it together with this report in JSON.", Train),
    ];

    /// <summary>Runs the same steps directly and as a captured graph, and expects the same bits.</summary>
    private static string Replay(CheckContext context)
    {
        const int Steps = 4;
        (double[] eagerLoss, double[] eager) = Run(context, Steps, isReplayed: false);
        (double[] replayedLoss, double[] replayed) = Run(context, Steps, isReplayed: true);
        ExpectSame(context, "loss", replayedLoss, eagerLoss);
        ExpectSame(context, "parameters", replayed, eager);
        return context.Conclude($"{Steps} training steps");
    }

    private static (double[] Losses, double[] Parameters) Run(CheckContext context, int steps, bool isReplayed)
    {
        var architecture = new Architecture("replay", 2, Classes,
        [
            new NinBlock(6, 3, 2, 1, [5]), new MaxPool(3, 2), new DropoutLayer(0.5), new NinBlock(8, 3, 1, 1, [Classes]), new GlobalAveragePool(), new Flatten(),
        ]);
        var options = new PlanOptions { Batch = 5, Height = 12, Width = 10, Sgd = new SgdSettings(0.9), Replay = isReplayed };
        using var parameters = new ParameterStore(context.Device, architecture);
        parameters.Initialize(Initialization.He, seed: 1);
        using var loss = new RunningLoss(context.Stream);
        using var stepInput = new StepInput(context.Stream, options.Batch);
        using var arena = new DeviceArena(context.Device);
        DeviceMemory labels = context.Upload<int>([0, 1, 2, 1, 0]);
        using ExecutionPlan plan = ExecutionPlan.Compile(
            architecture, options, new PlanResources(context.Stream, parameters, stepInput, loss, arena, labels));

        float[] x = new IntegerSource(40).Next(plan.Input.Bytes / sizeof(float), 4);
        context.Stream.Copy(context.Upload<float>(x), plan.Input);
        var losses = new double[steps];
        for (int step = 0; step < steps; step++)
        {
            loss.Reset();
            stepInput.Send(new StepState(0.01f, step), [4, 3, 2, 1, 0]);
            plan.Run();
            loss.BeginRead();
            losses[step] = loss.EndRead().LossSum;
        }
        return (losses, Flatten(parameters));
    }

    /// <summary>Trains twice on images of horizontal, vertical or diagonal stripes, which any working training learns to tell apart.</summary>
    private static string Train(CheckContext context)
    {
        ImageDataset images = Stripes(samples: 240);
        var architecture = new Architecture("training", 1, Classes,
        [
            new NinBlock(16, 3, 1, 1, [16]), new MaxPool(3, 2), new DropoutLayer(0.1), new NinBlock(16, 3, 1, 1, [Classes]), new GlobalAveragePool(), new Flatten(),
        ]);
        var recipe = new TrainingRecipe
        {
            Name = "training check",
            ImageSize = 16,
            Epochs = 8,
            BatchSize = 32,
            LearningRate = 0.02,
            Sgd = new SgdSettings(Momentum: 0.9),
            Initialization = Initialization.He with { OutputScale = 0.3 },
            NormalizeInput = true,
        };
        (TrainingResult first, double[] parameters) = Train(context, architecture, recipe, images);
        (TrainingResult second, double[] again) = Train(context, architecture, recipe, images);

        double[] losses = [.. first.Epochs.Select(epoch => epoch.Train.Loss)];
        // With this seed and its neighbours the last loss is a hundredth of the first, so half of it leaves room for rounding.
        context.Expect(
            "last epoch's loss over first's", [losses[^1] / losses[0]], [0], [1], new Tolerance(0.5, 0, "training must halve the loss"));
        ExpectSame(context, "second run's loss", [.. second.Epochs.Select(epoch => epoch.Train.Loss)], losses);
        ExpectSame(context, "second run's parameters", again, parameters);
        return FormattableString.Invariant(
            $"{first.Step} steps took the loss from {losses[0]:0.000} to {losses[^1]:0.000}, the accuracy to {first.LastEpoch!.Test.Accuracy:0.000}; twice, with the same bits");
    }

    private static (TrainingResult Result, double[] Parameters) Train(
        CheckContext context, Architecture architecture, TrainingRecipe recipe, ImageDataset images)
    {
        using var trainer = new Trainer(context.Device, architecture, recipe, images, images, seed: 1);
        return (trainer.Train(), Flatten(trainer.Parameters));
    }

    private static ImageDataset Stripes(int samples)
    {
        const int Height = 9, Width = 12;
        var source = new IntegerSource(41);
        float[] noise = source.Next(samples * Height * Width, 40);
        var labels = new ushort[samples];
        for (int i = 0; i < samples; i++)
            labels[i] = (ushort)(i % Classes);
        byte[] images =
        [
            .. noise.Select((value, i) =>
            {
                int sample = i / (Height * Width), y = i / Width % Height, x = i % Width;
                bool isBright = labels[sample] switch { 0 => y % 2 == 0, 1 => x % 2 == 0, _ => (x + y) / 3 % 2 == 0 };
                return (byte)(value + (isBright ? 200 : 60));
            }),
        ];
        return new ImageDataset("stripes", images, labels, Height, Width, 1, ["horizontal", "vertical", "diagonal"]);
    }

    private static void ExpectSame(CheckContext context, string name, double[] actual, double[] expected) =>
        context.Expect(name, actual, expected, [expected.Length], Tolerance.Exact);

    /// <summary>All parameters, tensor by tensor.</summary>
    private static double[] Flatten(ParameterStore parameters) =>
        [.. from tensor in parameters.DownloadValues() from value in tensor.Value select (double)value];
}
