using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Diagnostics;
using NinCudnn.Interop;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin doctor</c></summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<bool> json = SharedOptions.Json();
        var command = new Command("doctor", "Checks whether this installation works: libraries, every operator, memory, a short training run.") { device, json };
        command.SetAction(parsed =>
        {
            DeviceRequest request = parsed.GetRequiredValue(device);
            DiagnosticReport report = Diagnosis.Run(request);
            if (parsed.GetValue(json))
                DoctorJson.Write(Console.Out, request, report);
            else
                DoctorText.Write(Console.Out, request, report);
            return report.IsHealthy ? ExitCode.Success : ExitCode.Failure;
        });
        return command;
    }
}
