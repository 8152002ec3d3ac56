namespace NinCudnn.Interop;

/// <summary>Chooses a provider for a request and keeps to it.</summary>
/// <param name="probe">Opens a provider's libraries, as far as the first thing that stands in the way.</param>
internal sealed class ProviderSelector(Func<NativeProvider, ProviderProbe> probe)
{
    private readonly Lock _gate = new();
    private ProviderProbe? _chosen;
    private volatile ProviderSelection? _current;

    public ProviderSelection? Current => _current;

    /// <inheritdoc cref="NativeLibraries.Select"/>
    public ProviderSelection Select(DeviceRequest request)
    {
        lock (_gate)
        {
            return _current is { } current ? Again(request, current) : First(request);
        }
    }

    /// <summary>The handle of a library of the chosen provider. Without a choice so far it chooses as for "auto".</summary>
    public nint Handle(string library)
    {
        lock (_gate)
        {
            if (_chosen is null)
                First(DeviceRequest.Auto);
            return _chosen!.Handle(library);
        }
    }

    private ProviderSelection First(DeviceRequest request)
    {
        var provider = request.Provider ?? NativeProvider.Cuda;
        var found = probe(provider);
        string reason = $"{request} was requested";
        if (request.Provider is null)
        {
            if (found.Failures.Count == 0)
            {
                reason = $"auto: {found.Devices[0].Name} and all of NVIDIA's libraries were found";
            }
            else
            {
                var cudaFailure = found.Failures[0];
                reason = $"auto: CUDA can't be used, {cudaFailure.Summary}";
                found = probe(NativeProvider.Host);
                if (found.Failures.Count > 0)
                    throw NativeLibraryException.NoProvider(cudaFailure, found.Failures[0]);
            }
        }
        // Nothing is kept of a failure: another request may follow.
        if (found.Failures.Count > 0)
            throw found.Failures[0];
        CheckOrdinal(request, found);
        _chosen = found;
        return _current = new(found.Provider, request.Ordinal, reason, found.Libraries);
    }

    private ProviderSelection Again(DeviceRequest request, ProviderSelection current)
    {
        if (request.Provider is null)
            return current;
        if (request.Provider != current.Provider)
        {
            throw new InvalidOperationException(
                $"This process already uses the {current.Provider} provider ({current.Reason}); it can't change to {request}. " +
                "Choose before the first use, or start another process.");
        }
        CheckOrdinal(request, _chosen!);
        return request.Ordinal == current.Ordinal
            ? current
            : current with { Ordinal = request.Ordinal, Reason = $"{request} was requested" };
    }

    private static void CheckOrdinal(DeviceRequest request, ProviderProbe found)
    {
        if (request.Ordinal >= found.Devices.Count)
            throw NativeLibraryException.NoSuchDevice(found.Provider, request, found.Devices.Count);
    }
}
