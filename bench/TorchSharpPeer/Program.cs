using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using NinCudnn.Benchmarks;
using NinCudnn.Formats;
using NinCudnn.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchSharpPeer;

/// <summary>
/// For the model and the batch that NinCudnn.Bench wrote into a directory: <c>losses</c> before and after one SGD step without dropout, in float64 and
/// in float32; or the speed of <c>training</c> or <c>inference</c> in float32. Writes one line of JSON.
/// </summary>
internal static class Program
{
    private const double LearningRate = 0.001; // as NinCudnn.Bench
    private const int WarmUp = 2; // as `nin bench`

    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case [var directory, "losses", var threads]:
                set_num_threads(Number(threads));
                WriteLosses(directory);
                return 0;
            case [var directory, ("training" or "inference") and var mode, var repetitions, var threads]:
                set_num_threads(Number(threads));
                WriteSpeed(directory, mode == "training", Number(repetitions));
                return 0;
            default:
                Console.Error.WriteLine("usage: TorchSharpPeer directory losses threads | directory training|inference repetitions threads");
                return 2;
        }
    }

    private static void WriteLosses(string directory)
    {
        Write(json =>
        {
            foreach (var (type, suffix) in new[] { (ScalarType.Float64, ""), (ScalarType.Float32, "_float32") })
            {
                using var step = new Step(directory, type);
                step.Network.eval(); // no dropout
                json.WriteNumber($"loss{suffix}", step.Train());
                double after = step.Loss();
                if (double.IsFinite(after))
                    json.WriteNumber($"loss_after_step{suffix}", after);
            }
            json.WriteString("torch", __version__);
        });
    }

    private static void WriteSpeed(string directory, bool isTraining, int repetitions)
    {
        using var step = new Step(directory, ScalarType.Float32);
        step.Network.train(isTraining);
        var times = new TimeSpan[repetitions];
        for (int i = -WarmUp; i < repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            if (isTraining)
                step.Train();
            else
                step.Infer();
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(start);
        }
        Write(json =>
        {
            json.WriteNumber("samples_per_second", step.Batch / Timing.Of(times).Median.TotalSeconds);
            json.WriteNumber("peak_resident_bytes", Process.GetCurrentProcess().PeakWorkingSet64);
        });
    }

    private static void Write(Action<Utf8JsonWriter> write)
    {
        using Stream output = Console.OpenStandardOutput();
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The network, a batch and the optimiser.</summary>
    private sealed class Step : IDisposable
    {
        private readonly Tensor _x;
        private readonly Tensor _labels;
        private readonly optim.Optimizer _sgd;

        public Step(string directory, ScalarType type)
        {
            ModelFile model = ModelFile.Load(Path.Combine(directory, "model.safetensors"));
            using SafetensorsFile batch = SafetensorsFile.Open(Path.Combine(directory, "batch.safetensors"));
            long[] shape = [.. batch.Tensors["x"].Shape.Select(extent => (long)extent)];
            Batch = shape[0];
            _x = tensor(batch.ReadSingles("x")).reshape(shape).to(type);
            _labels = tensor(batch.ReadSingles("labels")).to(ScalarType.Int64);
            Network = new Network(model, type);
            _sgd = optim.SGD(Network.parameters(), LearningRate);
        }

        public long Batch { get; }

        public Network Network { get; }

        public double Train()
        {
            using IDisposable scope = NewDisposeScope();
            _sgd.zero_grad();
            Tensor value = nn.functional.cross_entropy(Network.forward(_x), _labels);
            value.backward();
            _sgd.step();
            return value.ToDouble();
        }

        public double Loss()
        {
            using IDisposable scope = NewDisposeScope(), evaluation = no_grad();
            return nn.functional.cross_entropy(Network.forward(_x), _labels).ToDouble();
        }

        public void Infer()
        {
            using IDisposable scope = NewDisposeScope(), evaluation = inference_mode();
            Network.forward(_x);
        }

        public void Dispose()
        {
            _sgd.Dispose();
            Network.Dispose();
            _x.Dispose();
            _labels.Dispose();
        }
    }
}
