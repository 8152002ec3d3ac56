using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using NinCudnn.Benchmarks;
using NinCudnn.Formats;

namespace NinCudnn.Bench;

/// <summary>Times inference of the reference model (<see cref="Reference"/>) by ONNX Runtime, and computes the loss of its logits.</summary>
internal static class OnnxRuntimePeer
{
    private const int WarmUp = 2; // as `nin bench`

    public static void Run(string directory, int repetitions, int threads)
    {
        using SafetensorsFile batch = SafetensorsFile.Open(Path.Combine(directory, "batch.safetensors"));
        long[] shape = [.. batch.Tensors["x"].Shape.Select(extent => (long)extent)];
        float[] x = batch.ReadSingles("x"), labels = batch.ReadSingles("labels");
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1 };
        using var session = new InferenceSession(Path.Combine(directory, "model.onnx"), options);
        using var runOptions = new RunOptions();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, shape);

        var times = new TimeSpan[repetitions];
        double loss = 0;
        for (int i = -WarmUp; i < repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(runOptions, ["input"], [input], ["logits"]);
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(start);
            loss = MeanLoss(outputs[0].GetTensorDataAsSpan<float>(), labels);
        }

        using Stream output = Console.OpenStandardOutput();
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("samples_per_second", shape[0] / Timing.Of(times).Median.TotalSeconds);
        json.WriteNumber("loss", loss);
        json.WriteEndObject();
    }

    /// <summary>Softmax cross-entropy, mean over the batch.</summary>
    private static double MeanLoss(ReadOnlySpan<float> logits, float[] labels)
    {
        int classes = logits.Length / labels.Length;
        double sum = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            double total = 0;
            foreach (float logit in logits.Slice(i * classes, classes))
                total += Math.Exp(logit);
            sum += Math.Log(total) - logits[i * classes + (int)labels[i]];
        }
        return sum / labels.Length;
    }
}
