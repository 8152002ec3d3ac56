using System.CommandLine;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin devices</c></summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var command = new Command("devices", "Shows the devices and libraries that were found, what would be used, and why not the others.");
        Option<bool> verbose = new("--verbose") { Description = "List every path and name that was tried for missing libraries." };
        command.Add(verbose);
        command.SetAction(parsed =>
        {
            ProviderReport report = NativeLibraries.Probe();
            foreach (ProviderStatus provider in report.Providers)
            {
                Console.WriteLine($"{Name(provider.Provider)}: {(provider.IsUsable ? "usable" : "not usable")}");
                foreach (DeviceInfo device in provider.Devices)
                {
                    string request = DeviceRequest.Parse($"{(provider.Provider == NativeProvider.Cuda ? "cuda" : "cpu")}:{device.Ordinal}").ToString();
                    Console.WriteLine($"  {request,-8} {device.Name}, {ByteSize.Format((long)device.TotalMemoryBytes)}, compute capability {device.ComputeCapability}");
                }
                foreach (LoadedLibrary library in provider.Libraries)
                    Console.WriteLine($"  {library.Name,-8} {library.Version}, {library.Path}");
                foreach (string problem in provider.Problems)
                    Console.WriteLine($"  problem  {problem}");
                foreach (LoadAttempt attempt in parsed.GetValue(verbose) ? provider.Attempts : [])
                    Console.WriteLine($"  tried    {attempt.Target} ({attempt.Origin}): {attempt.Reason}");
            }
            ProviderStatus? chosen = report.Providers.FirstOrDefault(provider => provider.IsUsable);
            if (chosen is null)
            {
                Console.Error.WriteLine("nin: no device can be used");
                return ExitCode.Failure;
            }
            Console.WriteLine($"--device auto takes {chosen.Devices[0].Name}");
            return ExitCode.Success;
        });
        return command;
    }

    private static string Name(NativeProvider provider) => provider == NativeProvider.Cuda ? "NVIDIA GPU" : "CPU (host provider)";
}
