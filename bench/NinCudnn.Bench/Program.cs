using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Perfolizer.Horology;

namespace NinCudnn.Bench;

/// <summary>
/// With BenchmarkDotNet's arguments (<c>--filter '*Convolution*'</c>) it runs benchmarks; <c>costs</c>, <c>reference</c> and <c>onnx</c> are for bench/run.sh.
/// </summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["costs", var batch, var imageSize]:
                StepCosts.Measure(Number(batch), Number(imageSize)).Write(Console.Out);
                return 0;
            case ["reference", var directory, var batch, var imageSize]:
                Reference.Write(directory, Number(batch), Number(imageSize));
                return 0;
            case ["onnx", var directory, var repetitions, var threads]:
                OnnxRuntimePeer.Run(directory, Number(repetitions), Number(threads));
                return 0;
            default:
                // Every iteration holds many calls, so that few of them are enough; --job medium or long on the command line takes more.
                IConfig config = DefaultConfig.Instance
                    .AddDiagnoser(MemoryDiagnoser.Default)
                    .AddJob(Job.Default.WithWarmupCount(2).WithIterationCount(7).WithIterationTime(TimeInterval.FromMilliseconds(250)).AsDefault());
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments, config);
                return 0;
        }
    }

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
