// Every signature is blittable, so the runtime has nothing to marshal and may refuse what isn't.
[assembly: System.Runtime.CompilerServices.DisableRuntimeMarshalling]
