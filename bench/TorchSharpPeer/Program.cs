using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using NinCudnn.Formats;
using NinCudnn.Training;
using static TorchSharp.torch;

namespace TorchSharpPeer;

/// <summary>
/// TorchSharpPeer directory training|inference repetitions threads: loads the model and the batch that NinCudnn.Bench wrote into the directory,
/// computes the loss before and after one SGD step without dropout, then times steps. Writes one line of JSON.
/// </summary>
internal static class Program
{
    private const double LearningRate = 0.1;
    private const int WarmUp = 2; // as `nin bench`

    public static int Main(string[] arguments)
    {
        if (arguments is not [var directory, ("training" or "inference") and var mode, var repetitionsText, var threadsText])
        {
            Console.Error.WriteLine("usage: TorchSharpPeer directory training|inference repetitions threads");
            return 2;
        }
        set_num_threads(int.Parse(threadsText, CultureInfo.InvariantCulture));
        int repetitions = int.Parse(repetitionsText, CultureInfo.InvariantCulture);

        ModelFile model = ModelFile.Load(Path.Combine(directory, "model.safetensors"));
        using SafetensorsFile batch = SafetensorsFile.Open(Path.Combine(directory, "batch.safetensors"));
        long[] shape = [.. batch.Tensors["x"].Shape.Select(extent => (long)extent)];
        using Tensor x = tensor(batch.ReadSingles("x")).reshape(shape), labels = tensor(batch.ReadSingles("labels")).to(ScalarType.Int64);
        using var network = new Network(model);
        using var sgd = optim.SGD(network.parameters(), LearningRate);

        network.eval(); // no dropout
        double loss = Train(), lossAfterStep = Loss();
        bool isTraining = mode == "training";
        network.train(isTraining);
        var times = new TimeSpan[repetitions];
        for (int i = -WarmUp; i < repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            if (isTraining)
                Train();
            else
                Infer();
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(start);
        }
        Array.Sort(times);
        TimeSpan median = (times[(repetitions - 1) / 2] + times[repetitions / 2]) / 2;
        Write(shape[0] / median.TotalSeconds, loss, lossAfterStep);
        return 0;

        double Train()
        {
            using IDisposable scope = NewDisposeScope();
            sgd.zero_grad();
            Tensor value = nn.functional.cross_entropy(network.forward(x), labels);
            value.backward();
            sgd.step();
            return value.item<float>();
        }

        double Loss()
        {
            using IDisposable scope = NewDisposeScope(), evaluation = no_grad();
            return nn.functional.cross_entropy(network.forward(x), labels).item<float>();
        }

        void Infer()
        {
            using IDisposable scope = NewDisposeScope(), evaluation = inference_mode();
            network.forward(x);
        }
    }

    private static void Write(double samplesPerSecond, double loss, double lossAfterStep)
    {
        using Stream output = Console.OpenStandardOutput();
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("samples_per_second", samplesPerSecond);
        json.WriteNumber("loss", loss);
        json.WriteNumber("loss_after_step", lossAfterStep);
        json.WriteNumber("peak_rss_bytes", PeakResidentBytes());
        json.WriteString("torch", __version__);
        json.WriteEndObject();
    }

    private static long PeakResidentBytes()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
