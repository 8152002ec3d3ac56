namespace NinCudnn.Interop;

/// <summary>Which libraries stand behind the declarations.</summary>
public enum NativeProvider
{
    /// <summary>NVIDIA's libraries, on a GPU.</summary>
    Cuda,

    /// <summary><c>libnin_host</c>, which carries out the same functions on the CPU.</summary>
    Host,
}
