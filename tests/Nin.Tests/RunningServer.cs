namespace Nin.Tests;

/// <summary>A <c>nin serve</c> on a port that was free, and who asks it.</summary>
internal sealed class RunningServer : IDisposable
{
    public RunningServer(string model, params string[] options)
    {
        Program = NinProgram.Start(["serve", "--checkpoint", model, "--device", "cpu", "--port", "0", .. options]);
        Address = new Uri(Program.WaitForLine("http://").Split(' ')[0]);
        Client = new HttpClient { BaseAddress = Address };
    }

    public NinProgram Program { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public void Dispose()
    {
        Client.Dispose();
        Program.Dispose();
    }
}
