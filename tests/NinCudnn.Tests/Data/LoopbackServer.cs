using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NinCudnn.Tests.Data;

/// <summary>An HTTP server on the loopback interface that answers every request by a given function.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly HttpListener _listener;
    private readonly Func<HttpListenerContext, string, Task> _answer;

    /// <param name="answer">Gets the request and the last part of its path. It need not close the response.</param>
    public LoopbackServer(Func<HttpListenerContext, string, Task> answer)
    {
        _answer = answer;
        (_listener, Address) = Start();
        _ = ServeAsync();
    }

    /// <summary>The address, with a path and no final slash.</summary>
    public Uri Address { get; }

    /// <summary>The paths' last parts, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>A server that has these files and answers 404 to all else.</summary>
    public static LoopbackServer Of(IReadOnlyDictionary<string, byte[]> files) => new(async (context, name) =>
    {
        if (files.TryGetValue(name, out var bytes))
        {
            context.Response.ContentLength64 = bytes.Length;
            await context.Response.OutputStream.WriteAsync(bytes);
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    });

    public void Dispose() => _listener.Close();

    private static (HttpListener Listener, Uri Address) Start()
    {
        // HttpListener cannot choose a free port itself; another process can take the port in between, so try again.
        for (var attempt = 0; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var port = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            var listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
            try
            {
                listener.Start();
                return (listener, new Uri($"http://127.0.0.1:{port}/mirror/of"));
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // closed by Dispose
            }

            var name = context.Request.Url!.Segments[^1];
            Requests.Enqueue(name);
            try
            {
                await _answer(context, name);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                context.Response.Abort(); // the client has gone, or the answer was broken off on purpose
            }
        }
    }
}
